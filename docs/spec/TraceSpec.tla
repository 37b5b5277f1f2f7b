----------------------------- MODULE TraceSpec -----------------------------
(***************************************************************************)
(* Whether a schedule of the real reducer is a behaviour of Rxraft: each   *)
(* of its moves must be an action of the specification that leads to the   *)
(* same terms, votes, roles, logs, commit indexes, disks and number of     *)
(* saves under way.  What a schedule does not show (votes counted, match   *)
(* indexes, mail) TLC finds itself.                                        *)
(*                                                                         *)
(* The module RxraftTrace is written by `npm run explore -- --tla FILE`.   *)
(***************************************************************************)
EXTENDS Rxraft, RxraftTrace

VARIABLE at     \* how many moves of the schedule have been made

Seen ==
    [i \in Server |->
        [term |-> server[i].term, vote |-> server[i].vote, role |-> server[i].role,
         log |-> server[i].log, commit |-> server[i].commit, disk |-> disk[i],
         saving |-> Len(saving[i])]]

TraceInit == Init /\ at = 0 /\ Seen = TraceStart

\* What the message of a move may do; its effect decides which of these it was.
Hear(i, move) ==
    \/ \E m \in mail :
          /\ m.from = move.from /\ m.term = move.term /\ m.type = move.type
          /\ GrantInAdvance(i, m) \/ HearRequest(i, m) \/ HearVote(i, m) \/ HearAppended(i, m)
    \/ /\ move.type = "append"
       /\ HearAppend(i, move.term, move.prev, move.last, move.commit)
    \/ /\ move.type = "heartbeat"
       /\ HearPulse(i, move.term, move.commit)
    \/ move.type = "rejected" /\ HearRejected(i, move.from)
    \/ move.type \in {"vote", "rejected", "heartbeatReply"} /\ (LearnTerm(i, move.term) \/ StepDown(i))
    \/ UNCHANGED vars

Move(move) ==
    CASE move.kind = "received" -> Hear(move.at, move)
      [] move.kind = "saved" -> Saved(move.at)
      [] move.kind = "electionTimeout" -> Timeout(move.at)
      [] move.kind = "quorumTimeout" -> StepDown(move.at)
      [] move.kind = "proposed" -> Propose(move.at)
      [] move.kind = "crash" -> Crash(move.at)
      [] OTHER -> UNCHANGED vars

TraceNext ==
    /\ at < Len(Trace)
    /\ at' = at + 1
    /\ Move(Trace[at + 1].move)
    /\ Seen' = Trace[at + 1].seen

TraceBehaviour == TraceInit /\ [][TraceNext]_<<vars, at>>

\* Checked at the end: some behaviour goes through the whole schedule.
TraceAccepted ==
    LET moves == TLCGet("stats").diameter - 1 IN
    \/ moves = Len(Trace)
    \/ PrintT(<<"no action of Rxraft is move", moves + 1, Trace[moves + 1].move>>) /\ FALSE
=============================================================================

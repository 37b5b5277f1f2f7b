------------------------------- MODULE Rxraft -------------------------------
(***************************************************************************)
(* Raft as rxraft does it: elections ask in advance, saving is             *)
(* asynchronous, a promise about the disk rides in the save that it is     *)
(* about, a leader counts its own disk exactly like anybody else's, and    *)
(* its entries may leave before its own disk has them.  One action is one  *)
(* turn of the loop with one event (`reduce` of lib/step.ts).  What is     *)
(* abstracted is said in README.md.                                        *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets, TLC

CONSTANTS
    Server,         \* at least two
    Nil,            \* nobody
    MaxTerm,        \* nobody campaigns for a later term
    MaxCommands,    \* commands proposed in all
    MaxCrashes,     \* crashes in all
    PreVote         \* whether servers ask for votes in advance (thesis 9.6)

VARIABLES
    server,     \* what each server knows: gone after a crash
    disk,       \* what each disk would give back
    saving,     \* the saves that each disk has not acknowledged, oldest first
    mail,       \* every vote, request and acknowledgement ever sent: never removed, so any of
                \* them may be lost, repeated, delayed and overtaken
    reign,      \* for each term its leader's log and commit index as last seen: what appends and
                \* pulses may carry, or any part of it
    known,      \* the latest term that any server was ever in: what refusals may tell
    committed,  \* all that was ever committed, each entry with the term in which it was
    elected,    \* for each term who has led in it
    commands,   \* how many were proposed
    crashes     \* how many there were

vars == <<server, disk, saving, mail, reign, known, committed, elected, commands, crashes>>

Term == 1..MaxTerm
Nobody == [log |-> <<>>, commit |-> 0, id |-> Nil]

IsQuorum(some) == Cardinality(some) * 2 > Cardinality(Server)
Max(m, n) == IF m > n THEN m ELSE n
Min(m, n) == IF m < n THEN m ELSE n
TermAt(log, index) == IF index = 0 THEN 0 ELSE log[index].term
LastTerm(log) == TermAt(log, Len(log))
NoMatch == [j \in Server |-> 0]

-----------------------------------------------------------------------------
(* Messages.  An acknowledgement names its term, which names its receiver. *)

Request(term, from, pre, log) ==
    [type |-> "requestVote", term |-> term, from |-> from, pre |-> pre,
     lastIndex |-> Len(log), lastTerm |-> LastTerm(log)]
Vote(term, from, to, pre) ==
    [type |-> "vote", term |-> term, from |-> from, to |-> to, pre |-> pre]
Appended(term, from, match) ==
    [type |-> "appended", term |-> term, from |-> from, match |-> match]

-----------------------------------------------------------------------------
(* A turn in the making: the server, whether its ballot is new, the first  *)
(* entry written (0: none), what is promised, what is sent at once.        *)

Begin(i) == [id |-> i, n |-> server[i], ballot |-> FALSE, from |-> 0, promises |-> {}, send |-> {}]

Follower(n) == [n EXCEPT !.role = "follower", !.votes = {}, !.match = NoMatch]

\* Follows in a term, which may be a later one (5.1).
Follow(T, term) ==
    IF term > T.n.term
    THEN [T EXCEPT !.n = [Follower(T.n) EXCEPT !.term = term, !.vote = Nil], !.ballot = TRUE]
    ELSE [T EXCEPT !.n = Follower(T.n)]

\* A server follows whoever leads or asks in a later term, and stays what it is in its own.
Judge(T, term) == IF term > T.n.term THEN Follow(T, term) ELSE T

Campaign(T) ==
    LET term == T.n.term + 1 IN
    [T EXCEPT !.n = [T.n EXCEPT !.term = term, !.vote = T.id, !.role = "candidate",
                                !.votes = {}, !.match = NoMatch],
              !.ballot = TRUE,
              !.promises = @ \cup {Request(term, T.id, FALSE, T.n.log), Vote(term, T.id, T.id, FALSE)}]

\* Entries are appended or replace what conflicts; `from` is the first that is written.
Write(T, log, from) ==
    [T EXCEPT !.n.log = log, !.from = IF T.from = 0 THEN from ELSE Min(T.from, from)]

\* A leader's own disk acknowledges like a follower's.
Extend(T, value) ==
    LET log == Append(T.n.log, [term |-> T.n.term, value |-> value]) IN
    [Write(T, log, Len(log)) EXCEPT !.promises = @ \cup {Appended(T.n.term, T.id, Len(log))}]

Lead(T) == Extend([T EXCEPT !.n.role = "leader", !.n.votes = {}, !.n.match = NoMatch], 0)

\* What a majority of disks holds is committed, if its last entry is of this term (5.4.2).
Commit(T) ==
    LET n == T.n
        held == {k \in 0..Len(n.log) : IsQuorum({j \in Server : n.match[j] >= k})}
        most == CHOOSE k \in held : \A other \in held : other <= k
    IN IF n.role = "leader" /\ most > n.commit /\ TermAt(n.log, most) = n.term
       THEN [T EXCEPT !.n.commit = most]
       ELSE T

\* A disk has acknowledged: another's, or the leader's own.
Acknowledge(T, from, match) ==
    Commit([T EXCEPT !.n.match[from] = Max(@, match)])

-----------------------------------------------------------------------------
(* The end of a turn.                                                       *)

Finish(T) ==
    LET i == T.id
        pending == saving[i]
        isSave == T.ballot \/ T.from > 0
        save == [term |-> T.n.term, vote |-> T.n.vote, log |-> T.n.log,
                 from |-> IF T.from = 0 THEN Len(T.n.log) + 1 ELSE T.from,
                 promises |-> T.promises]
        now == IF isSave \/ pending # <<>> THEN {} ELSE T.promises
        last == Len(pending)
    IN /\ server' = [server EXCEPT ![i] = T.n]
       /\ saving' = [saving EXCEPT ![i] =
              IF isSave THEN Append(pending, save)
              ELSE IF pending = <<>> THEN pending
              ELSE [pending EXCEPT ![last].promises = @ \cup T.promises]]
       /\ mail' = mail \cup T.send \cup now
       /\ known' = Max(known, T.n.term)
       /\ IF T.n.role = "leader"
          THEN /\ reign' = [reign EXCEPT ![T.n.term] =
                               [log |-> T.n.log, commit |-> T.n.commit, id |-> i]]
               /\ elected' = [elected EXCEPT ![T.n.term] = @ \cup {i}]
               /\ committed' = committed \o
                     [k \in 1..Max(0, T.n.commit - Len(committed)) |->
                         [entry |-> T.n.log[Len(committed) + k], in |-> T.n.term]]
          ELSE UNCHANGED <<reign, elected, committed>>

Turn(T) == Finish(T) /\ UNCHANGED <<disk, commands, crashes>>

-----------------------------------------------------------------------------
(* What can happen.                                                         *)

\* The leader was silent for too long (5.2).
Timeout(i) ==
    /\ server[i].role # "leader" /\ server[i].term < MaxTerm
    /\ LET T == Begin(i) IN
       IF PreVote
       THEN Turn([T EXCEPT !.n.role = "precandidate", !.n.votes = {i},
                           !.send = {Request(T.n.term + 1, i, TRUE, T.n.log)}])
       ELSE Turn(Campaign(T))

IsUpToDate(m, log) ==
    IF m.lastTerm = LastTerm(log) THEN m.lastIndex >= Len(log) ELSE m.lastTerm > LastTerm(log)

\* A vote is asked in advance, and granted: nothing changes, nothing is spent.
GrantInAdvance(i, m) ==
    /\ m.type = "requestVote" /\ m.pre /\ m.from # i /\ m.term >= server[i].term
    /\ m.term > server[i].term \/ server[i].vote \in {Nil, m.from}
    /\ IsUpToDate(m, server[i].log)
    /\ Turn([Begin(i) EXCEPT !.send = {Vote(m.term, i, m.from, TRUE)}])

\* A vote is asked; the later term is followed even where the vote is refused (5.1, 5.4.1).
HearRequest(i, m) ==
    /\ m.type = "requestVote" /\ ~m.pre /\ m.from # i /\ m.term >= server[i].term
    /\ LET T == Judge(Begin(i), m.term)
           isGranted == T.n.vote \in {Nil, m.from} /\ IsUpToDate(m, T.n.log)
       IN Turn(IF isGranted
               THEN [T EXCEPT !.n.vote = m.from, !.ballot = @ \/ T.n.vote = Nil,
                              !.promises = @ \cup {Vote(m.term, i, m.from, FALSE)}]
               ELSE T)

HearVote(i, m) ==
    /\ m.type = "vote" /\ m.to = i /\ m.from # i
    /\ LET T == [Begin(i) EXCEPT !.n.votes = @ \cup {m.from}] IN
       \/ /\ m.pre /\ server[i].role = "precandidate" /\ m.term = server[i].term + 1
          /\ Turn(IF IsQuorum(T.n.votes) THEN Campaign(T) ELSE T)
       \/ /\ ~m.pre /\ server[i].role = "candidate" /\ m.term = server[i].term
          /\ Turn(IF IsQuorum(T.n.votes) THEN Lead(T) ELSE T)

\* Any part of what a leader has may arrive, with any commit index that it has had (5.3).
HearAppend(i, term, prev, last, commit) ==
    LET L == reign[term] IN
    /\ L.id \notin {Nil, i} /\ term >= server[i].term
    /\ prev <= last /\ last <= Len(L.log) /\ commit <= L.commit
    /\ LET T == Follow(Begin(i), term)
           log == T.n.log
           isShared == prev <= Len(log) /\ TermAt(log, prev) = TermAt(L.log, prev)
           news == {k \in prev + 1..last : k > Len(log) \/ log[k].term # L.log[k].term}
           first == CHOOSE k \in news : \A other \in news : k <= other
           W == IF news = {} THEN T
                ELSE Write(T, SubSeq(log, 1, first - 1) \o SubSeq(L.log, first, last), first)
       IN Turn(IF isShared
               THEN [W EXCEPT !.n.commit = Max(@, Min(commit, last)),
                              !.promises = @ \cup {Appended(term, i, last)}]
               ELSE T)

\* A pulse names an entry that is committed.
HearPulse(i, term, commit) ==
    LET L == reign[term] IN
    /\ L.id \notin {Nil, i} /\ term >= server[i].term /\ commit <= L.commit
    /\ LET T == Follow(Begin(i), term) IN
       /\ commit <= Len(T.n.log) /\ TermAt(T.n.log, commit) = TermAt(L.log, commit)
       /\ Turn([T EXCEPT !.n.commit = Max(@, commit)])

HearAppended(i, m) ==
    /\ m.type = "appended" /\ m.from # i
    /\ server[i].role = "leader" /\ m.term = server[i].term
    /\ Turn(Acknowledge(Begin(i), m.from, m.match))

\* A refusal makes the leader look further back; a late one makes it forget an acknowledgement.
HearRejected(i, j) ==
    /\ server[i].role = "leader" /\ j # i /\ server[i].match[j] > 0
    /\ Turn([Begin(i) EXCEPT !.n.match[j] = 0])

\* Whatever answers from a later term tells of it.
LearnTerm(i, term) ==
    /\ term > server[i].term /\ term <= known
    /\ Turn(Follow(Begin(i), term))

\* The votes are refused, or a leader hears no quorum (thesis 6.2).
StepDown(i) ==
    /\ server[i].role # "follower"
    /\ Turn(Follow(Begin(i), server[i].term))

Propose(i) ==
    /\ server[i].role = "leader" /\ commands < MaxCommands
    /\ Finish(Extend(Begin(i), commands + 1))
    /\ commands' = commands + 1
    /\ UNCHANGED <<disk, crashes>>

\* The oldest save is durable: what waited for it leaves, what was promised to itself arrives.
Saved(i) ==
    /\ saving[i] # <<>>
    /\ LET save == Head(saving[i])
           own == {m \in save.promises : m.term = server[i].term /\ m.from = i}
           voted == \E m \in own : m.type = "vote" /\ m.to = i
           T == IF voted /\ server[i].role = "candidate"
                THEN [Begin(i) EXCEPT !.n.votes = @ \cup {i}] ELSE Begin(i)
           acks == {m.match : m \in {m \in own : m.type = "appended"}}
           D == IF acks = {} \/ server[i].role # "leader" THEN T
                ELSE Acknowledge(T, i, CHOOSE k \in acks : \A other \in acks : other <= k)
       IN /\ disk' = [disk EXCEPT ![i] = [term |-> save.term, vote |-> save.vote, log |-> save.log]]
          /\ server' = [server EXCEPT ![i] = D.n]
          /\ saving' = [saving EXCEPT ![i] = Tail(@)]
          /\ mail' = mail \cup {m \in save.promises : ~(m.type = "vote" /\ m.to = i)}
          /\ IF D.n.role = "leader"
             THEN /\ reign' = [reign EXCEPT ![D.n.term] =
                                  [log |-> D.n.log, commit |-> D.n.commit, id |-> i]]
                  /\ committed' = committed \o
                        [k \in 1..Max(0, D.n.commit - Len(committed)) |->
                            [entry |-> D.n.log[Len(committed) + k], in |-> D.n.term]]
             ELSE UNCHANGED <<reign, committed>>
          /\ UNCHANGED <<known, elected, commands, crashes>>

\* After a crash the disk has any number of the saves that were under way, and of the next one the
\* ballot with some of its first entries.
Survivors(i) ==
    LET pending == saving[i]
        Whole(k) == IF k = 0 THEN disk[i]
                    ELSE [term |-> pending[k].term, vote |-> pending[k].vote, log |-> pending[k].log]
        Torn(k, last) == [term |-> pending[k].term, vote |-> pending[k].vote,
                          log |-> SubSeq(pending[k].log, 1, last)]
        Ballot(k) == [Whole(k) EXCEPT !.log = Whole(k - 1).log]
    IN {Whole(k) : k \in 0..Len(pending)}
       \cup {Ballot(k) : k \in 1..Len(pending)}
       \cup UNION {{Torn(k, last) : last \in pending[k].from..Len(pending[k].log)} : k \in 1..Len(pending)}

Restarted(d) ==
    [term |-> d.term, vote |-> d.vote, log |-> d.log, role |-> "follower", commit |-> 0,
     votes |-> {}, match |-> NoMatch]

Crash(i) ==
    /\ crashes < MaxCrashes
    /\ \E d \in Survivors(i) :
          /\ disk' = [disk EXCEPT ![i] = d]
          /\ server' = [server EXCEPT ![i] = Restarted(d)]
    /\ saving' = [saving EXCEPT ![i] = <<>>]
    /\ crashes' = crashes + 1
    /\ UNCHANGED <<mail, reign, known, committed, elected, commands>>

Init ==
    /\ disk = [i \in Server |-> [term |-> 0, vote |-> Nil, log |-> <<>>]]
    /\ server = [i \in Server |-> Restarted([term |-> 0, vote |-> Nil, log |-> <<>>])]
    /\ saving = [i \in Server |-> <<>>]
    /\ mail = {}
    /\ reign = [t \in Term |-> Nobody]
    /\ known = 0
    /\ committed = <<>>
    /\ elected = [t \in Term |-> {}]
    /\ commands = 0
    /\ crashes = 0

Next ==
    \E i \in Server :
        \/ Timeout(i) \/ StepDown(i) \/ Propose(i) \/ Saved(i) \/ Crash(i)
        \/ \E m \in mail : GrantInAdvance(i, m) \/ HearRequest(i, m) \/ HearVote(i, m) \/ HearAppended(i, m)
        \/ \E t \in Term : LearnTerm(i, t)
        \/ \E t \in Term : \E last \in 0..Len(reign[t].log) : \E prev \in 0..last :
              \E commit \in 0..reign[t].commit : HearAppend(i, t, prev, last, commit)
        \/ \E t \in Term : \E commit \in 0..reign[t].commit : HearPulse(i, t, commit)
        \/ \E j \in Server : HearRejected(i, j)

Spec == Init /\ [][Next]_vars

Symmetry == Permutations(Server)

-----------------------------------------------------------------------------
(* What must hold (Figure 3 of the paper, and what it rests on).           *)

ElectionSafety == \A t \in Term : Cardinality(elected[t]) <= 1

VoteOnce ==
    \A m, o \in mail :
        (m.type = "vote" /\ o.type = "vote" /\ ~m.pre /\ ~o.pre /\ m.from = o.from /\ m.term = o.term)
            => m.to = o.to

Logs == {server[i].log : i \in Server} \cup {disk[i].log : i \in Server}

LogMatching ==
    \A l, m \in Logs : \A k \in 1..Min(Len(l), Len(m)) :
        l[k].term = m[k].term => SubSeq(l, 1, k) = SubSeq(m, 1, k)

LeaderCompleteness ==
    \A i \in Server : \A k \in 1..Len(committed) :
        (server[i].role = "leader" /\ server[i].term > committed[k].in)
            => k <= Len(server[i].log) /\ server[i].log[k] = committed[k].entry

StateMachineSafety ==
    \A i \in Server : \A k \in 1..server[i].commit :
        k <= Len(server[i].log) /\ k <= Len(committed) /\ server[i].log[k] = committed[k].entry

DurableQuorum ==
    \A k \in 1..Len(committed) :
        IsQuorum({i \in Server : k <= Len(disk[i].log) /\ disk[i].log[k] = committed[k].entry})

\* What is saved and being saved is what is remembered.
Memory ==
    \A i \in Server :
        LET last == IF saving[i] = <<>> THEN disk[i] ELSE saving[i][Len(saving[i])] IN
        last.term = server[i].term /\ last.vote = server[i].vote /\ last.log = server[i].log
=============================================================================

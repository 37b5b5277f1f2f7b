import eslint from '@eslint/js'
import rxjs from 'eslint-plugin-rxjs-x'
import tseslint from 'typescript-eslint'

const banned = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
  { selector: 'TSModuleDeclaration:not([global=true])', message: 'Use a file.' },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
]

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'coverage/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked, rxjs.configs.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'no-restricted-syntax': ['error', ...banned],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'max-lines': ['warn', { max: 400, skipBlankLines: false, skipComments: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],

      // `$` stands on Observables and on nothing else. What returns one is a verb, also when it is
      // an operator, and the input of an operator is what it carries: `steps`, `saves`, `source`.
      'rxjs-x/finnish': [
        'error',
        {
          functions: false,
          methods: false,
          parameters: false,
          objects: false,
          strict: true,
          names: { '^(source|stream)$': false },
          types: { '^(__function|__type|(MonoType)?OperatorFunction|UnaryFunction)$': false },
        },
      ],
      'rxjs-x/no-exposed-subjects': 'error',
      'rxjs-x/no-floating-observables': 'error',
      'rxjs-x/no-misused-observables': 'error',
      'rxjs-x/no-subclass': 'error',
      'rxjs-x/no-sharereplay-before-takeuntil': 'error',
      'rxjs-x/no-unnecessary-collection': 'error',
    },
  },
  {
    files: [
      'lib/**/*.ts',
      'operators/**/*.ts',
      'adapters/**/*.ts',
      'kv/**/*.ts',
      'testing/**/*.ts',
    ],
    rules: {
      'max-lines-per-function': ['warn', { max: 40, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // vitest's matchers are given methods by name, and its titles what a case is made of.
    files: ['spec/**/*.ts'],
    rules: {
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowArray: true },
      ],
    },
  },
  {
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
)

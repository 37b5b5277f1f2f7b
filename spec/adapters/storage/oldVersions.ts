import { gunzipSync } from 'node:zlib'

/**
 * Directories as earlier versions of the format wrote them, byte by byte, by the code of that time: entries 1 and 2 of
 * term 1, 3 to 6 of term 3, a vote for b in term 3, and in version 2 a snapshot through entry 2.
 */
const PACKED: Readonly<Record<number, Readonly<Record<string, readonly string[]>>>> = {
  1: {
    '00000001.log': [
      'H4sIAAAAAAACA+3YLQoCQRgG4F1tG8Ro8AKeQLAYvIHgATasNheWRbfbLQYN3sdmsHgXi+6giwaDVXge+OZlfmBg',
      '2nxFVaTzMkpmve0ljqIoVLBYHSe70+DQzAEAAID/VVTTbHMdnfv72zD+9u/vvs+OQ38gfvYImv20VQ+tj4UmO69s',
      '15UvsxDlOq/vC/2G5O7lAQAAAAAAAAAAAADgdw8UHzhJAEAAAA==',
    ],
    '00000002.log': [
      'H4sIAAAAAAACA+3dMUoDQRQG4Nk1WGzlGbSJIOlT26XMDRR2xUoYYtjcIG2wSeElPIXETrCysvAc6o7rRgkeICHf',
      'B8M/83gXGHjMxDpeVJNQDB+eVlkIIQ+tq+n9+d3j6bI7AwAAALsr1uNy9Prxcvw8X+X/3fuPfnsX4xCyrFnN/uCn',
      'dpka/xa6fB+0+dZkDQAAAAAAAAAAAAAAWyDNwKfV25iB72bnU726uY3feT0tu5n5w43+s5M2+03OAAAAAAAAAABg',
      'D6zfsUz/WBSfX/lp/KfQYgAA',
    ],
  },
  2: {
    '00000001.log': [
      'H4sIAAAAAAACA+3YsQnCQBgG0It2KcQV7LS3FSsXcAFNEQsLAyFgFhFSuJIjuIOdCIImxKCFha3wHhwfxx0c/N19',
      'eZknmyLEk/Sw7YUQotBaTE/V/Xxbd3sAAADgf+XlMr0cR7PVdVxF3/79w/fdedMPRG1H0J0nTWnwWRx0OXhlv17Z',
      'Lm2i2Gf1e03fED9MHgAAAAAAAAAAAAAAfvcEwSNymwBAAAA=',
    ],
    '00000002.log': [
      'H4sIAAAAAAACA+3dMUoDQRQG4NkYUmy1d7CxCKm8Qi6Q0soIWbAKDiqbYwRSeA09hxYeQLCw8AqCYHbcjMqSAyh+',
      'Hzz+2ce7wMDb3djEeX0Zyun948UghJAqmR4/3Lw/vZ3mZwAAAODvis1scbd5rea3J/Vg372/+p5dz0Ioirba88Gu',
      'd5YGfzZyvky6fG6zAQAAAAAAAAAAAACAXyC/OD/s7cDn3fnUr5dX8TPPrxd5Z37Umx8fdnnU5goAAAAAAAAAAP6B',
      'r+9Ypv9YlB9bML/+HtBiAAA=',
    ],
    'snapshot-2.snap': [
      'H4sIAAAAAAACA+3YRUwcaBQA4MFa3N0Kg8Pg7hQp7u4MMDgDzODuRYu7u7u7tLi7u7aFutHSsrSb7CZ739t8yTs8',
      'yTv+yf9gvnAo2B2Aec1uI40EAAAUBOayb/durFwAfwsAOkJtIb5AMT4Q0BMCcwWK8YKArhBXawgMDhT7p8sDAnq7',
      'ef6pmQLBQBDQ+j5sgOYgoJuXp72bI9T+vnGfuUDAMOjfY/cZ2NYWBoHDIb83BQUFARAQEBAQEBAQEBAQEBAQEP4X',
      '5D7gq0uUf//9yP8dQEJGQUV78BAdAxMLGwcXD5+AkIiYhJSMnIKSipqG9hEdPZCBkYmZhZWNnQPEycXNw8vHLyAo',
      'JCwiKiYuISklLfNYVk5e4YmikrKKqpq6hqaWto6unr6BoZGxiamZuYWlFdjaxhZiZ+/g6OTs4gp1c/eAwT29vH18',
      '/fwDAoOCQ0LDwiMio6KfxsTGxSckPktKTklNS8/IzMrOyc3LLygsKi4pLSuvqKyqrqmtq29obGpuaW1r7+js6u7p',
      '7esfGBwaHhl9/mJsfGJyanpmdm5+YXFpeWV1bX1jc2t7Z3dv/+Dw6Pjk9Oz84vLlq9dX12/evnv/4eOnz1++frv5',
      '/uP25687JAAKMhrqwwcY6FiYONh4uAT4RIQkxGSkFORUlDTUj2jp6RiATIwszGysHOycIG4uXh5+PkEBYSFREXEx',
      'SQlpqccycrIK8opPlJVUVdTVNDW0tXR19PUMDYyNTE3MzSwtwFY21hBbeztHB2cnVxc3qIc7HObl6ePt5xvgHxQY',
      'EhwWGhEeFfk0OjYmPi4xIelZSnJaakZ6VmZOdl5uQX5RYUlxWWlFeVVlTXVdbUN9U2NLc1trR3tXZ093X+9A/9Dg',
      'yPDz0bEXE+NTkzPTc7ML80uLK8trqxvrW5s723u7B/tHhyfHZ6cX5y8vX7+6vnr75v27jx8+f/r65ebbj+8/b+9+',
      'IaMAkB48REXDxELHwMXDxiEkwicgJSMmoaQip6B9RE0DZKCjZ2ZhZGLnYGXj4gZx8vHz8AoJCwiKiYuISklLSMrK',
      'yTx+oiivoKKqpKyhqaauo6ulbWCop29iamRsYWlmbm1jBbazt4U4OTs4Qt1cXGFwdw9vH08v/wBfv+CQwKDwiNCw',
      '6KeRUXHxMbHPkhISU9OSUzKz0jNy87JzCovyC0rLiksqq8orauuqaxqb6hta25pbOrvaO3r7unsGh/oHRp8Pj4xP',
      'vBibnpmcml+YnVteWVxa31hd297Z3No/2N07Pjk8Or84PXv1+vLlm7dX1x8+vnv/5eunz99/fLv5dXf7EwUZCfDw',
      'ARoqFiYGOh4uDjYRIQE+GSkJMRUlBfkjWhpqBiA9HQszEyMHOxsrNxcniJ+Pl0dYSFBAXExURFpKUkJO9rGM4hMF',
      'eVUVZSVNDXU1XR1tLUMDfT1TE2MjSwtzMxtrsJW9HcTW2cnRwQ3q6gKHebj7eHt5Bvj7+YYEBwVGhIeFPo2OioyP',
      'i41JepaYkJaakpyVmZGel5uTXVRYkF9WWlJcVVlRXldbU93U2FDf1trS3NXZ0d7X29M9NDjQ/3x0ZHhifOzFzPTU',
      '5ML83OzK8tLixvra6s721ubB/t7uyfHR4cX52Snszx0Q8+73W/CbfLtH9kJF0d5fCdCMLyAUAAA=',
    ],
  },
}

/** The files of a directory of that version. */
export const directoryOfVersion = (version: 1 | 2): Record<string, Buffer> =>
  Object.fromEntries(
    Object.entries(PACKED[version]!).map(([name, lines]) => [
      name,
      gunzipSync(Buffer.from(lines.join(''), 'base64')),
    ]),
  )

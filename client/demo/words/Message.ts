/** Something that a person is told. */
export interface Message {
  readonly title: string;
  readonly text: string;
}

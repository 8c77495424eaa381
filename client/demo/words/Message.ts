/** A text for the person. */
export interface Message {
  readonly title: string;
  readonly text: string;
}

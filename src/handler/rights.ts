/** Who asks, as an app's `authenticate` gives it. Apps add what they need. */
export interface Principal {
  readonly id: string;
  readonly admin?: boolean | undefined;
}

/** What somebody may be allowed to do with a task. */
export type TaskAction = 'submit' | 'read' | 'cancel' | 'restart' | 'runNow' | 'update' | 'delete';

"""Floor 6: one file a pane. A pane observes its state and draws; it reads no file and computes nothing."""

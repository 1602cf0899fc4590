"""The rules of findings, a module a family: they take arrays and know no file. `compose` asks them of checkpoints."""

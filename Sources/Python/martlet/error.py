"""What goes wrong, as exceptions."""


class Error(Exception):
    """A failure that Martlet reports: `message` is one line, `status` a number."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message

    def __reduce__(self):
        return type(self), (self.status, self.message)


class CompileError(Error):
    """The compiler's: 1 the model is at fault, 2 the options are, 3 not supported, 70 a bug in Martlet."""

    INVALID, USAGE, UNSUPPORTED, BUG = 1, 2, 3, 70


class RunError(Error):
    """An artifact's: the statuses of martlet.h."""

    INVALID_ARGUMENT, SHAPE_MISMATCH, WORKSPACE_TOO_SMALL, OUTPUT_TOO_SMALL, INDEX_OUT_OF_RANGE = range(1, 6)
    DIVISION_BY_ZERO, UNSUPPORTED_CPU, OUT_OF_MEMORY, WEIGHTS_MISMATCH, LIMIT_EXCEEDED = range(6, 11)
    INTERNAL = 70

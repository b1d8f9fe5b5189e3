"""What is no success, in the JSON of Google's RPC status, as grpc-gateway writes it."""

from starlette.responses import JSONResponse

INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, UNIMPLEMENTED = 3, 5, 6, 9, 12
STATUS = {INVALID_ARGUMENT: 400, NOT_FOUND: 404, ALREADY_EXISTS: 409, FAILED_PRECONDITION: 400, UNIMPLEMENTED: 501}


class Refusal(Exception):
    """A call that is not answered as asked, by gRPC's code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def response(self) -> JSONResponse:
        body = {"error": self.message, "code": self.code, "message": self.message, "details": []}
        return JSONResponse(body, STATUS[self.code])

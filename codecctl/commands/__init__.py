"""One thin function a command: parse, call, print."""

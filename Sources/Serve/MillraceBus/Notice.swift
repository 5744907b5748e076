/// Says something to the person who runs the process: one line, without its end.
public typealias Notice = @Sendable (_ text: String) -> Void

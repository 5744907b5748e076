internal import EventModel
internal import Logging

/// Shows what messages repeat of names and errors, so that it does nothing to a terminal.
struct ShownLogHandler: LogHandler {
    private var inner: any LogHandler

    init(_ inner: any LogHandler) { self.inner = inner }

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(Shown.text(event.message.description))"
        event.metadata = event.metadata?.mapValues { "\(Shown.text($0.description))" }
        inner.log(event: event)
    }
}

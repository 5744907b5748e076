internal import ArgumentParser
internal import EventLog

/// The word for making a view that lacks what the log has lost.
struct Losing: ParsableArguments {
    @Flag(help: "Go on where events are past their retention: what they did is left out.")
    var withoutWhatIsGone = false

    /// - Parameter what: What would be made: `a fold of hits.windows`.
    /// - Throws: ``Failure`` where some of its events are gone, and nobody said that it may lack them.
    func check(_ what: String, _ gone: [Gone]) throws {
        if gone.isEmpty || withoutWhatIsGone { return }
        throw Self.refusal(EventsGone(what, gone))
    }

    static func refusal(_ error: EventsGone) -> Failure {
        Failure(.data, "\(error.description). Say --without-what-is-gone to make it all the same")
    }
}

public import EventModel
internal import SwiftProtobuf

/// A decision, told as an example: given what has happened, when a command comes, then these events are made, or it is
/// refused.
///
/// ```swift
/// let likes = DeciderSpecification(Likes.self)
/// try likes.given(.thingLiked(liked)).when(.likeThing(like)).then(refused: .likedAlready(thing: "tea"))
/// ```
///
/// What is not as told is thrown, as a ``SpecificationFailure`` that says what came instead; in a test that is the failure.
/// Events that are told as given are admitted first, one after another, as a handler would: a history that cannot have happened
/// proves nothing.
public struct DeciderSpecification<D: Decider> {
    private var history: [(event: D.Event.Kind, time: Timestamp)] = []
    private let start: Timestamp

    /// - Parameters:
    ///   - decider: Whose rules are specified.
    ///   - start: The moment of the first event, and of the command where there is none before it.
    public init(_ decider: D.Type, from start: Timestamp = Timestamp(1_767_225_600_000)) { self.start = start }

    /// What has happened, one event a second.
    public func given(_ events: D.Event.Kind...) -> Self {
        var next = self
        for event in events { next.history.append((event, next.now)) }
        return next
    }

    /// What has happened at a moment.
    public func given(_ event: D.Event.Kind, at time: Timestamp) -> Self {
        var next = self
        next.history.append((event, time))
        return next
    }

    private var now: Timestamp { history.last.map { $0.time + .seconds(1) } ?? start }

    /// The command that comes.
    ///
    /// - Parameters:
    ///   - command: What is asked.
    ///   - time: When; a second after the last event where nil.
    ///   - id: The command's id.
    public func when(_ command: D.Command.Kind, at time: Timestamp? = nil, id: String = "command") -> Decided {
        Decided(history: history, command: command, time: time ?? now, id: id)
    }

    /// A command on a history, whose decision is to be told.
    public struct Decided {
        fileprivate let history: [(event: D.Event.Kind, time: Timestamp)]
        fileprivate let command: D.Command.Kind
        fileprivate let time: Timestamp
        fileprivate let id: String

        private enum Ending {
            case made([D.Event.Kind])
            case refused(any Refusal)
        }

        /// It makes these events, in this order; none where none are told.
        ///
        /// - Throws: ``SpecificationFailure``.
        public func then(_ events: D.Event.Kind...) throws {
            switch try result() {
            case .made(let made) where made == events: return
            case .made(let made): throw SpecificationFailure("made \(made), not \(events)")
            case .refused(let refusal):
                throw SpecificationFailure(
                    "is refused, \(refusal.reason): \(refusal.message); it should make \(events)")
            }
        }

        /// It is refused with exactly this.
        ///
        /// - Throws: ``SpecificationFailure``.
        public func then(refused expected: D.Rejection) throws {
            switch try result() {
            case .made(let made): throw SpecificationFailure("made \(made), and should be refused: \(expected.reason)")
            case .refused(let refusal as D.Rejection) where refusal == expected: return
            case .refused(let refusal):
                throw SpecificationFailure(
                    "is refused, \(refusal.reason): \(refusal.message); it should be \(expected.reason): \(expected.message)"
                )
            }
        }

        /// It is refused as malformed, for what is wrong with this field.
        ///
        /// - Throws: ``SpecificationFailure``.
        public func then(malformed field: String) throws {
            switch try result() {
            case .made(let made): throw SpecificationFailure("made \(made), and \(field) should be malformed")
            case .refused(let refusal as Malformed) where refusal.field == field: return
            case .refused(let refusal):
                throw SpecificationFailure(
                    "is refused, \(refusal.reason): \(refusal.message); \(field) should be malformed")
            }
        }

        private func result() throws(SpecificationFailure) -> Ending {
            let aggregate = D.key(of: command)
            var state = D.initial
            for (n, (event, time)) in history.enumerated() where D.key(of: event) == aggregate {
                do {
                    try D.check(event)
                    try D.admit(event, on: state, at: time)
                } catch {
                    throw SpecificationFailure("event \(n + 1) of the history cannot have happened: \(error)")
                }
                D.evolve(&state, with: event, at: time)
            }
            do {
                try D.check(command)
            } catch {
                return .refused(error)
            }
            do {
                return .made(try D.decide(command, id: id, on: state, at: time))
            } catch {
                return .refused(error)
            }
        }
    }
}

/// What is not as a specification tells.
public struct SpecificationFailure: Error, CustomStringConvertible {
    /// What was expected, and what came instead.
    public let description: String
    init(_ what: String) { description = "the command \(what)" }
}

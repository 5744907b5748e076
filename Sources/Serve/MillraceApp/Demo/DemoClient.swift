internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus

/// Sends the requests of one domain's actors, as JSON, like anyone outside.
struct DemoClient: Sendable {
    /// How long an outcome is waited for, and a setting up.
    private static let patience = Duration.seconds(20)

    let domain: Domain
    let log: any EventLog
    let client: CommandClient
    let partitions: [String: Int]
    let statistics: DemoStatistics

    /// The time in which actors act.
    struct Span: Sendable {
        let start: ContinuousClock.Instant
        let length: Duration
        var end: ContinuousClock.Instant { start + length }
        /// How much of it is over, from 0 to 1.
        var elapsed: Double { min(1, max(0, (.now - start) / length)) }
    }

    /// Plays an actor until it is done, or the time is over.
    ///
    /// - Returns: what came of its last requests, and whether it is done.
    @discardableResult
    func play(_ actor: any LoadActor, in span: Span) async throws -> (replies: [LoadReply], isDone: Bool) {
        var (actor, replies) = (actor, [LoadReply]())
        while .now < span.end {
            try Task.checkCancellation()
            let moment = LoadMoment(now: now(), elapsed: span.elapsed, replies: replies)
            guard let step = actor.next(moment) else { return (replies, true) }
            replies = try await send(step.requests)
            // Who does nothing and does not rest either would keep all others from it.
            let rest = step.requests.isEmpty ? max(step.pause, .milliseconds(1)) : step.pause
            let pause = min(rest, span.end - .now)
            if pause > .zero { try await Task.sleep(for: pause) }
        }
        return (replies, false)
    }

    /// Plays who sets up, and waits until that is done.
    func setUp(_ actor: any LoadActor) async throws {
        let (replies, isDone) = try await play(actor, in: Span(start: .now, length: Self.patience))
        if isDone { return }
        let last = replies.last.map { " what was asked last was \($0.words)." } ?? ""
        throw Failure(.tryAgain, "\(domain.name) is not set up after \(Self.patience.short).\(last) Try again")
    }

    private func send(_ requests: [LoadRequest]) async throws -> [LoadReply] {
        var replies = [LoadReply](repeating: .appended, count: requests.count)
        var commands: [(request: Int, command: EncodedCommand)] = []
        var facts: [String: [NewRecord]] = [:]
        var counts: [String: Int] = [:]
        for (i, request) in requests.enumerated() {
            switch try domain.encode(request, id: UUID().uuidString.lowercased(), now: now()) {
            case .command(let command): commands.append((i, command))
            case .fact(let topic, let record):
                facts[topic, default: []].append(record)
                counts[request.kind, default: 0] += 1
            }
        }
        for (topic, records) in facts {
            guard let count = partitions[topic] else { throw LogError.unknown(topic) }
            _ = try await log.append(Append.byKey(records, to: topic, among: count))
        }
        if !counts.isEmpty { statistics.note(facts: counts) }
        if commands.isEmpty { return replies }
        let start = ContinuousClock.now
        let outcomes = try await client.send(commands.map(\.command), to: domain, within: Self.patience)
        statistics.note(outcomes, after: .now - start)
        for (sent, outcome) in zip(commands, outcomes) {
            replies[sent.request] = outcome.accepted ? .accepted : .refused(reason: outcome.reason)
        }
        return replies
    }
}

extension LoadReply {
    fileprivate var words: String {
        switch self {
        case .accepted: "accepted"
        case .refused(let reason): "refused: \(reason)"
        case .appended: "appended"
        }
    }
}

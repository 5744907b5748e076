package import EventModel
internal import Testing

/// Takes what a domain demonstrates itself with, in no time: each request is encoded and checked, and its decider and the
/// commands of its reactions decide at once.
package final class Rehearsal {
    private let domain: Domain
    /// Nil for a domain that decides nothing.
    private let bus: HistoryBus?
    package private(set) var requests: [LoadRequest] = []
    package private(set) var accepted = 0
    package private(set) var refused = 0
    /// What was made and appended, by its name.
    package private(set) var events: [String: Int] = [:]

    package init(_ domain: Domain) throws {
        self.domain = domain
        bus = domain.decider == nil ? nil : try HistoryBus(domain)
    }

    @discardableResult
    package func take(_ request: LoadRequest, at now: Timestamp) throws -> LoadReply {
        requests.append(request)
        switch try domain.encode(request, id: LoadRequest.id(of: requests.count), now: now) {
        case .fact:
            events[request.kind, default: 0] += 1
            return .appended
        case .command(let command):
            guard let bus, let schema = domain.decider?.events else { return .refused(reason: "decides nothing") }
            let before = bus.records.count
            let decision = try bus.ask(command, at: command.time ?? now)
            for (_, record) in bus.records[before...] { events[schema.kindName(in: record.value), default: 0] += 1 }
            switch decision {
            case .accepted:
                accepted += 1
                return .accepted
            case .refused(let refused):
                self.refused += 1
                return .refused(reason: refused.reason)
            }
        }
    }

    /// Takes so many requests at random, some seconds apart.
    package func ask(_ count: Int, in keys: KeySpace, seed: UInt64) throws {
        let demonstration = try #require(domain.demonstration)
        for number in 0..<count {
            let request = demonstration.request(number, in: keys, seed: seed, at: noon)
            try take(request, at: noon + .seconds(number))
        }
    }

    /// Plays who sets up, then all actors for a while, or until they have asked for so much.
    package func play(size: Int, seed: UInt64, for length: Duration, atMost limit: Int = 5000) throws {
        let demonstration = try #require(domain.demonstration)
        var start = noon
        if let actor = demonstration.setup(size, seed) {
            var one = Playing(actor: actor, next: start)
            for _ in 0..<1000 where !one.isDone { try step(&one, elapsed: 0) }
            #expect(one.isDone, "\(domain.name) is not set up")
            start = one.next
        }
        var playing = demonstration.actors(size, seed).map { Playing(actor: $0, next: start) }
        while let i = playing.indices.filter({ !playing[$0].isDone }).min(by: { playing[$0].next < playing[$1].next }),
            playing[i].next < start + length, requests.count < limit
        {
            let elapsed = Double(playing[i].next.milliseconds(since: start)) / Double(length.milliseconds)
            try step(&playing[i], elapsed: elapsed)
        }
    }

    private struct Playing {
        var actor: any LoadActor
        var next: Timestamp
        var replies: [LoadReply] = []
        var isDone = false
    }

    private func step(_ playing: inout Playing, elapsed: Double) throws {
        let moment = LoadMoment(now: playing.next, elapsed: elapsed, replies: playing.replies)
        guard let step = playing.actor.next(moment) else {
            playing.isDone = true
            return
        }
        playing.replies = try step.requests.map { try take($0, at: playing.next) }
        // A request and its answer take a moment.
        playing.next = playing.next + step.pause + .milliseconds(1)
    }
}

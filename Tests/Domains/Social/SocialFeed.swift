import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf

@testable import SocialDomain

/// A small social network in memory, one step at a time: what users do, what the reactions make of it in any interleaving
/// of their inputs, also when they are started anew in the middle, and the timelines that come of it.
struct SocialFeed {
    static let partitions = 3

    let limit: Int
    private(set) var users: [String: Social.State] = [:]
    private var topics: [String: [[Record]]] = [:]
    private var clock: Int64 = 0
    private var commands = 0
    private var reactions: [(reaction: AnyReaction, memories: [any ReactionMemory])]
    /// The states that each reaction has kept of each partition, for those that were started anew.
    private var kept: [String: [Int: [Bytes: String]]] = [:]
    /// How far each reaction has come in each of its inputs.
    private var consumed: [String: [TopicPartition: Int]] = [:]
    let views = MemoryViews()
    private var folded: [String: [TopicPartition: Int]] = [:]
    let timelines: AnyProjection
    let trends: AnyProjection
    let graph: AnyProjection
    let search: AnyProjection
    /// What is asked with the help of models.
    let learned: [AnyProjection]
    let domain: Domain

    init(limit: Int) {
        self.limit = limit
        domain = .social(fanOutLimit: limit)
        timelines = domain.projection("social.timelines")
        trends = domain.projection("social.trends")
        graph = domain.projection("social.graph")
        search = domain.projection("social.search")
        learned = ["social.ties", "social.flags", "social.moments"].map(domain.projection)
        reactions = domain.reactions.map { reaction in
            (reaction, (0..<Self.partitions).map { _ in reaction.memory() })
        }
        for topic in [
            "social.events", "social.audience", "social.retweets", "social.home", "social.searches", "social.flags",
            "social.news", "social.profiles", "accounts.events",
        ] {
            topics[topic] = Array(repeating: [], count: Self.partitions)
        }
    }

    /// Does what a user asks for; gives whether that made an event. Two of three come a second after the last, the third
    /// in the same.
    @discardableResult
    mutating func tell(_ command: Ask) -> Bool {
        commands += 1
        if commands % 3 != 0 { clock += 1 }
        return (try? tell(command, id: "c\(commands)", at: after(clock)))?.isEmpty == false
    }

    /// Does what a user asks for at a time; gives the events.
    @discardableResult
    mutating func tell(_ command: Ask, id: String, at time: Timestamp) throws -> [Told] {
        let key = Social.key(of: command)
        let events = try Social.decide(command, id: id, on: users[key] ?? Social.initial, at: time)
        for event in events { record(event, at: time) }
        return events
    }

    /// Takes a fact that was decided elsewhere.
    mutating func take(_ fact: Told, at time: Timestamp) throws {
        try Social.check(fact)
        try Social.admit(fact, on: users[Social.key(of: fact)] ?? Social.initial, at: time)
        record(fact, at: time)
    }

    private mutating func record(_ event: Told, at time: Timestamp) {
        let key = Social.key(of: event)
        Social.evolve(&users[key, default: Social.initial], with: event, at: time)
        append(
            "social.events", Partitioner.partition(of: Bytes(key), among: Self.partitions), Bytes(key),
            SocialEvent.bytes(event), at: time)
    }

    /// Looks for something, as somebody or nobody in particular.
    mutating func search(_ query: String, by user: String = "") {
        commands += 1
        let event = SocialSearchEvent.Kind.searchPerformed(.with { ($0.user, $0.query) = (user, query) })
        tell(Bytes(Searches.key(of: event)), SocialSearchEvent.bytes(event), in: "social.searches")
    }

    /// Says what the model says, whatever it would say itself.
    mutating func look(at account: String, _ isFlagged: Bool, tweets: Int64 = 10) {
        let event: SocialFlagEvent.Kind =
            isFlagged
            ? .accountFlagged(.with { ($0.account, $0.score, $0.tweets) = (account, 900, tweets) })
            : .accountPassed(.with { ($0.account, $0.score, $0.tweets) = (account, 100, tweets) })
        tell(Bytes(account), SocialFlagEvent.bytes(event), in: "social.flags")
    }

    /// Tells what somebody says of themselves where accounts are.
    mutating func profile(_ user: String, location: String = "", _ interests: [String] = [], about: String = "") {
        let profile = SocialAccountProfile.with {
            ($0.user, $0.location, $0.interests, $0.about) = (user, location, interests, about)
        }
        tell(Bytes(user), SocialAccountEvent.bytes(.profileChanged(profile)), in: "accounts.events")
    }
    mutating func leave(_ user: String) {
        tell(Bytes(user), SocialAccountEvent.bytes(.userDeactivated(.with { $0.user = user })), in: "accounts.events")
    }

    /// Reads a headline in.
    mutating func publish(_ title: String, by publisher: String = "p") {
        commands += 1
        let event = SocialNewsEvent.Kind.newsIngested(
            .with { ($0.headline, $0.publisher, $0.title) = ("h\(commands)", publisher, title) })
        tell(Bytes(SocialNews.key(of: event)), SocialNewsEvent.bytes(event), in: "social.news")
    }

    private mutating func tell(_ key: Bytes, _ value: Bytes, in topic: String) {
        append(topic, Partitioner.partition(of: key, among: Self.partitions), key, value, at: after(clock))
    }

    private mutating func append(
        _ topic: String, _ partition: Partition, _ key: Bytes, _ value: Bytes, at time: Timestamp
    ) {
        let p = Int(partition.rawValue)
        let offset = Offset(Int64(topics[topic]![p].count))
        topics[topic]![p].append(Record(offset: offset, timestamp: time, key: key, value: value))
    }

    /// Lets one of the reactions read up to a few records of one of its inputs; false where none has anything to read.
    mutating func react(_ random: inout SeededRandom, atMost: Int = 4) throws -> Bool {
        var choices: [(Int, TopicPartition)] = []
        for (i, one) in reactions.enumerated() {
            for topic in one.reaction.topics {
                for p in 0..<Self.partitions {
                    let source = TopicPartition(topic, Partition(p))
                    if consumed[one.reaction.name]?[source] ?? 0 < topics[topic]![p].count {
                        choices.append((i, source))
                    }
                }
            }
        }
        guard let (i, source) = choices.randomElement(using: &random) else { return false }
        let name = reactions[i].reaction.name
        let p = Int(source.partition.rawValue)
        for _ in 0..<Int.random(in: 1...atMost, using: &random) {
            let at = consumed[name, default: [:]][source, default: 0]
            guard at < topics[source.topic]![p].count else { break }
            let record = topics[source.topic]![p][at]
            try load(record.key, into: reactions[i].memories[p], kept[name]?[p] ?? [:])
            for emission in try reactions[i].memories[p].react(to: record, from: source) {
                for (partition, key, value) in emission.records(among: Self.partitions) {
                    append(emission.topic, partition, key, value, at: emission.time ?? record.timestamp)
                }
            }
            consumed[name, default: [:]][source] = at + 1
        }
        return true
    }

    private func load(_ key: Bytes, into memory: any ReactionMemory, _ kept: [Bytes: String]) throws {
        for key in memory.states?.missing([key]) ?? [] { try memory.states?.load(key, kept[key]) }
    }

    /// Forgets what the reactions know of one partition, folds it again from what they have read, and goes on from what a
    /// checkpoint keeps of that.
    mutating func restart(partition p: Int) throws {
        for i in reactions.indices where reactions[i].reaction.remembers {
            let memory = reactions[i].reaction.memory()
            memory.states?.keepInCheckpoint()
            for topic in reactions[i].reaction.topics {
                let source = TopicPartition(topic, Partition(p))
                for record in topics[topic]![p].prefix(consumed[reactions[i].reaction.name]?[source] ?? 0) {
                    try load(record.key, into: memory, [:])
                    try memory.evolve(with: record, from: source)
                }
            }
            try foresee(p, reactions[i].reaction, memory)
            let states = memory.states?.changes() ?? []
            kept[reactions[i].reaction.name, default: [:]][p] = try states.reduce(into: [:]) {
                $0[$1.key] = try $1.json()
            }
            reactions[i].memories[p] = reactions[i].reaction.memory()
            reactions[i].memories[p].states?.keepInCheckpoint()
        }
    }

    /// Tells a reaction what it has written to its own topics and not yet read.
    private func foresee(_ p: Int, _ reaction: AnyReaction, _ memory: any ReactionMemory) throws {
        for topic in memory.ahead {
            let source = TopicPartition(topic, Partition(p))
            for record in topics[topic]![p].dropFirst(consumed[reaction.name]?[source] ?? 0)
            where try memory.foresee(record, in: source, isLoaded: false) {
                try load(record.key, into: memory, [:])
                _ = try memory.foresee(record, in: source, isLoaded: true)
            }
        }
    }

    /// Folds what is new into the views: some records of each partition, or all.
    mutating func project(_ random: inout SeededRandom, all: Bool = false) throws {
        for projection in [timelines, trends, graph, search] + learned {
            var work: [(TopicPartition, [Record])] = []
            for topic in projection.topics {
                for p in 0..<Self.partitions {
                    let source = TopicPartition(topic, Partition(p))
                    let rest = topics[topic]![p].dropFirst(folded[projection.name]?[source] ?? 0)
                    let some = rest.prefix(all ? rest.count : Int.random(in: 0...max(1, rest.count), using: &random))
                    if some.isEmpty { continue }
                    folded[projection.name, default: [:]][source, default: 0] += some.count
                    work.append((source, Array(some)))
                }
            }
            if work.isEmpty { continue }
            let claims = views.claim(projection, work.map(\.0), owner: "test")
            let (ends, batches) = (folded[projection.name] ?? [:], work)
            try views.commit(
                projection, to: Dictionary(uniqueKeysWithValues: work.map { ($0.0, Offset(Int64(ends[$0.0] ?? 0))) }),
                under: claims.mapValues(\.epoch)
            ) { view in try projection.fold(batches, into: view) }
        }
    }

    /// Everything is read, reacted to and folded.
    mutating func settle(_ random: inout SeededRandom) throws {
        while try react(&random) {}
        try project(&random, all: true)
    }

    func page(_ name: String, of user: String, limit: Int = 100, from cursor: Row? = nil) throws -> Page {
        try ask(name, ["user": .text(user)], limit: limit, from: cursor)
    }

    func ask(_ name: String, _ values: [String: Value], limit: Int = 100, from cursor: Row? = nil) throws -> Page {
        let query = domain.queries.first { $0.name == name }!
        let arguments = Arguments(values, now: after(clock), limit: limit, cursor: cursor)
        return try views.read(domain.projection(query.projection)) { reader, _ in
            try query.answer(arguments, reader)
        }
    }

    /// A timeline by its pages, as (user, tweet).
    func timeline(of user: String, by size: Int) throws -> [String] {
        var (tweets, cursor): ([String], Row?) = ([], nil)
        repeat {
            let page = try page("social.timeline", of: user, limit: size, from: cursor)
            tweets += page.rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
            cursor = page.next
        } while cursor != nil
        return tweets
    }

    /// What a timeline must show, straight from the events.
    func pullMerge(_ reader: String) throws -> [String] {
        var model = PullAndMerge()
        for record in topics["social.events"]!.flatMap({ $0 }) {
            if let event = try SocialEvent.kind(in: record.value) { model.tell(event, at: record.timestamp) }
        }
        return model.timeline(of: reader)
    }

    /// How many records of a type are in `social.home`.
    func count(_ type: (SocialHomeEvent.Kind) -> Bool) throws -> Int {
        try topics["social.home"]!.flatMap { $0 }.filter { try SocialHomeEvent.kind(in: $0.value).map(type) ?? false }
            .count
    }

    /// The records of a topic, partition by partition.
    func records(_ topic: String) -> [Placed] {
        (topics[topic] ?? []).enumerated().flatMap { p, records in
            records.map { (TopicPartition(topic, Partition(p)), $0) }
        }
    }
    func audience() throws -> [SocialAudienceEvent.Kind] {
        try records("social.audience").compactMap { try SocialAudienceEvent.kind(in: $0.record.value) }
    }

    /// How often a tweet was handed to a reader.
    func handedOut() throws -> Int {
        try records("social.home").reduce(0) { sum, placed in
            guard case .timelineEntriesAdded(let e) = try SocialHomeEvent.kind(in: placed.record.value) else {
                return sum
            }
            return sum + e.entries.count * e.readers.count
        }
    }

    /// Hashtags of an hour around the last thing told: tweets and retweets of each.
    func hashtags() throws -> [String: [Int64]] {
        let query = domain.queries.first { $0.name == "social.trends" }!
        let arguments = Arguments(
            ["at": Value(after(clock + 60)), "window": .integer(7 * 86_400_000)], now: after(clock), limit: 1000,
            cursor: nil)
        let rows = try views.read(trends) { reader, _ in try query.answer(arguments, reader) }.rows
        return rows.reduce(into: [:]) { $0[$1[0].text ?? ""] = [$1[2].integer ?? 0, $1[3].integer ?? 0] }
    }

    /// What breaks one of the domain's invariants, once all is settled.
    func violations() throws -> [String] {
        try domain.invariants.compactMap { invariant in
            // The views call back on this thread, once.
            nonisolated(unsafe) let audit = invariant.begin()
            do {
                for topic in invariant.topics {
                    for (source, record) in records(topic) { try audit.apply(record, from: source) }
                }
                guard let name = invariant.projection else {
                    try audit.finish(nil)
                    return nil
                }
                try views.read(domain.projection(name)) { reader, _ in try audit.finish(reader) }
                return nil
            } catch let violation as Violation {
                return "\(invariant.name): \(violation.message)"
            }
        }
    }
}

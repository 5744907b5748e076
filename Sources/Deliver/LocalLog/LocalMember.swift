internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB
internal import Synchronization

/// A member of a consumer group on the local log.
///
/// Who owns which partition is a table, and every change to it is one commit, so that two members never own one partition;
/// a commit of offsets checks its owner in the same commit. Members agree on who should have what without a leader,
/// because each computes ``assignment(of:wanting:owned:)`` from the same rows.
final class LocalMember: GroupMember {
    /// How often, at most, a member looks at its group's tables where others write all the time; and how often it is looked
    /// whether others have died.
    static let look = Duration.milliseconds(200)
    /// The same where members of its own process come and go.
    private static let settling = Duration.milliseconds(1)

    private struct State {
        var told: Set<TopicPartition> = []
        var revoking: Set<TopicPartition> = []
        var following: Following
        /// What of the group's changes had been looked at, and when.
        var seen: GroupChanges.Version?
        var looked = ContinuousClock.now
        var isWoken = false
    }

    private let log: LocalLog
    private let group: String
    private let id: String
    private let topics: Set<String>
    /// Topics whose partitions go with those of the same number of the group's first topic.
    private let followers: [String]
    private let state: Mutex<State>

    private init(log: LocalLog, group: String, id: String, topics: Set<String>, followers: [String]) {
        self.log = log
        self.group = group
        self.id = id
        self.topics = topics
        self.followers = followers
        state = Mutex(State(following: Following(besides: GroupChanges.mark(of: group))))
    }

    static func join(_ log: LocalLog, group: String, topics: [String], sharing: Sharing) async throws -> LocalMember {
        guard let members = log.members else { throw log.readOnly }
        let known = Set(try await log.topics().map(\.name))
        if let missing = topics.first(where: { !known.contains($0) }) { throw LogError.unknown(missing) }
        let followers = sharing == .together ? Array(topics.dropFirst()) : []
        let topics = Set(topics).subtracting(followers)
        let id = "\(getpid())-\(UUID().uuidString.prefix(8))"
        try members.hold(id)
        try await log.writer.write { round in
            round.changesGroup(group)
            try round.db.execute(
                sql: "INSERT INTO members VALUES (?, ?, ?)",
                arguments: [group, id, topics.sorted().joined(separator: "\n")])
        }
        return LocalMember(log: log, group: group, id: id, topics: topics, followers: followers)
    }

    func next(max: Int, wait: Duration) async throws -> Delivery {
        try await next(max: max, wait: wait, lending: nil)
    }

    func next(max: Int, wait: Duration, inline work: any InlineWork) async throws -> Delivery {
        try await next(max: max, wait: wait, lending: work)
    }

    private func next(max: Int, wait: Duration, lending work: (any InlineWork)?) async throws -> Delivery {
        var isLent = false
        let marks: Set = [GroupChanges.mark(of: group), Lending.mark(of: id)]
        let found: Delivery?
        do {
            found = try await log.changed.first(
                within: Beat.within(wait), pause: { untilLook },
                in: { isLent ? marks : state.withLock(\.following.partitions) }
            ) {
                if isLent {
                    isLent = false
                    if await takeBack() { return .idle }
                }
                if let change = try await changes() { return change }
                let (batches, damage) = try await log.next(of: state, \.following, max: max)
                leave(alone: damage)
                if !batches.isEmpty { return .records(batches) }
                isLent = lend(work)
                return nil
            }
        } catch {
            if isLent { _ = await takeBack() }
            throw error
        }
        if isLent { _ = await takeBack() }
        return found ?? .idle
    }

    /// What has become of the member's share, where it is time to look; that it was woken.
    private func changes() async throws -> Delivery? {
        if state.withLock({ $0.isWoken.take() }) { return .idle }
        if untilLook > .zero { return nil }
        let version = log.groups.version(of: group)
        if let change = try await look() { return change }
        state.withLock { ($0.seen, $0.looked) = (version, .now) }
        return nil
    }

    private func lend(_ work: (any InlineWork)?) -> Bool {
        guard let work else { return false }
        let positions = state.withLock(\.following.positions)
        return log.lending.lend(work, of: id, in: group, positions)
    }

    /// - Returns: Whether this member's task is wanted.
    private func takeBack() async -> Bool {
        let back = await log.lending.takeBack(from: id)
        state.withLock { state in
            for (partition, next) in back.positions { state.following.pass(partition, to: next) }
        }
        return back.isWanted
    }

    func wake() {
        state.withLock { $0.isWoken = true }
        log.changed.notify()
    }

    /// How long until the group's tables are to be looked at, if nothing changes.
    private var untilLook: Duration {
        let version = log.groups.version(of: group)
        return state.withLock { state in
            guard let seen = state.seen else { return .zero }
            if seen.own != version.own { return state.looked + Self.settling - .now }
            return seen.heard == version.heard ? .seconds(3600) : state.looked + Self.look - .now
        }
    }

    /// A partition that cannot be read on is not followed any more; the others go on.
    private func leave(alone damage: [LocalLog.Damage]) {
        for damage in damage {
            state.withLock { $0.following[damage.partition] = nil }
            log.complain("\(group) does not read \(damage.partition) on: \(damage.error)")
        }
    }

    /// Compares what this member has with what it should have, and says the first difference.
    private func look() async throws -> Delivery? {
        let seen = try await log.read { [group] db in try Team(db, group) }
        let (told, revoking) = state.withLock { ($0.told, $0.revoking) }
        let lost = told.filter { seen.owners[$0] != id }
        if !lost.isEmpty { return forget(lost) }
        if seen.members[id] == nil {
            // Others took this process for dead while it was frozen; it comes back as anyone new.
            try await log.writer.write { [group, id, topics] round in
                round.changesGroup(group)
                try round.db.execute(
                    sql: "INSERT OR IGNORE INTO members VALUES (?, ?, ?)",
                    arguments: [group, id, topics.sorted().joined(separator: "\n")])
            }
            return nil
        }
        guard let members = log.members else { return nil }
        // Watched before they are looked at, so that one that dies in between is missed.
        members.watch(seen.members.keys, of: group)
        let dead = seen.members.keys.filter { !members.isAlive($0) }
        let target = (seen.target(without: dead)[id] ?? []).with(followers)
        let leaving = told.subtracting(target).subtracting(revoking)
        if !leaving.isEmpty {
            state.withLock { state in
                state.revoking.formUnion(leaving)
                for partition in leaving { state.following[partition] = nil }
            }
            return .revoked(leaving.sorted())
        }
        let free = target.filter { seen.owner($0, without: dead) == nil }
        if free.isEmpty && dead.isEmpty { return nil }
        let claimed = try await claim(dead: dead)
        if claimed.isEmpty { return nil }
        state.withLock { $0.told.formUnion(claimed) }
        return .assigned(claimed.sorted())
    }

    private func forget(_ lost: Set<TopicPartition>) -> Delivery {
        state.withLock { state in
            state.told.subtract(lost)
            state.revoking.subtract(lost)
            for partition in lost { state.following[partition] = nil }
        }
        return .lost(lost.sorted())
    }

    /// Removes dead members and takes the free partitions that are this member's share, by what the tables say now.
    private func claim(dead: [String]) async throws -> Set<TopicPartition> {
        try await log.writer.write { [group, id, followers] round in
            if !dead.isEmpty { round.changesGroup(group) }
            for member in dead {
                try round.db.execute(sql: "DELETE FROM members WHERE team = ? AND id = ?", arguments: [group, member])
                try round.db.execute(
                    sql: "DELETE FROM owners WHERE team = ? AND member = ?", arguments: [group, member])
            }
            let team = try Team(round.db, group)
            let free = (team.target(without: [])[id] ?? []).with(followers).filter { team.owners[$0] == nil }
            if !free.isEmpty { round.changesGroup(group) }
            for partition in free {
                try round.db.execute(
                    sql: "INSERT INTO owners VALUES (?, ?, ?, ?)",
                    arguments: [group, partition.topic, partition.partition.rawValue, id])
            }
            return free
        }
    }

    func start(_ positions: [TopicPartition: Offset?]) async throws {
        let committed = try await log.committed(group, Array(positions.keys))
        let bounds = try await log.bounds(of: Array(positions.keys))
        state.withLock { state in
            for (partition, position) in positions where state.told.contains(partition) {
                state.following[partition] = position ?? committed[partition] ?? bounds[partition]?.lowerBound ?? 0
            }
        }
    }

    func release(_ partitions: [TopicPartition]) async throws {
        state.withLock { state in
            state.told.subtract(partitions)
            state.revoking.subtract(partitions)
            for partition in partitions { state.following[partition] = nil }
        }
        try await log.writer.write { [group, id] round in
            round.changesGroup(group)
            for partition in partitions {
                try round.db.execute(
                    sql: "DELETE FROM owners WHERE team = ? AND topic = ? AND partition = ? AND member = ?",
                    arguments: [group, partition.topic, partition.partition.rawValue, id])
            }
        }
    }

    func commit(_ consumed: [TopicPartition: Offset]) async throws {
        try await transact(Transaction(appends: [], consumed: consumed))
    }

    @discardableResult
    func transact(_ transaction: Transaction) async throws -> [[Offset]] {
        try await log.writer.write { [group, id] round in try round.take(transaction, of: group, by: id) }
    }

    func leave() async {
        // If this fails, the lock on the member's file is released all the same, and others remove the member.
        try? await log.writer.write { [group, id] round in
            round.changesGroup(group)
            try round.db.execute(sql: "DELETE FROM members WHERE team = ? AND id = ?", arguments: [group, id])
            try round.db.execute(sql: "DELETE FROM owners WHERE team = ? AND member = ?", arguments: [group, id])
        }
        log.members?.release(id)
    }
}

/// A group as its tables have it.
private struct Team: Sendable {
    var members: [String: Set<String>] = [:]
    var owners: [TopicPartition: String] = [:]
    var partitions: [TopicPartition] = []

    init(_ db: Database, _ group: String) throws {
        let members = try db.cachedStatement(sql: "SELECT id, topics FROM members WHERE team = ?")
        for row in try Row.fetchAll(members, arguments: [group]) {
            let topics = try row.text(1)
            self.members[try row.text(0)] = Set(topics.split(separator: "\n").map(String.init))
        }
        let owners = try db.cachedStatement(sql: "SELECT topic, partition, member FROM owners WHERE team = ?")
        for row in try Row.fetchAll(owners, arguments: [group]) {
            let partition = TopicPartition(try row.text(0), Partition(rawValue: try row.decode(atIndex: 1)))
            self.owners[partition] = try row.text(2)
        }
        let topics = self.members.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        let counts = try db.cachedStatement(sql: "SELECT partitions FROM topics WHERE name = ?")
        for topic in topics {
            let count = try Int.fetchOne(counts, arguments: [topic]) ?? 0
            guard 0...Limits.partitions ~= count else {
                throw LogError.damaged(topic, "it has \(count) partitions")
            }
            partitions += (0..<count).map { TopicPartition(topic, Partition($0)) }
        }
    }

    func owner(_ partition: TopicPartition, without dead: [String]) -> String? {
        owners[partition].flatMap { dead.contains($0) || members[$0] == nil ? nil : $0 }
    }

    func target(without dead: [String]) -> [String: Set<TopicPartition>] {
        assignment(of: partitions, wanting: members.filter { !dead.contains($0.key) }, owned: owners)
    }
}

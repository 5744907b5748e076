internal import EventLog
internal import EventModel

/// The log as one process sees it: each call is a step, which others may come before, and at which the process may be
/// killed; commits meet the faults dealt to it.
final class SimulatedLog: EventLog, @unchecked Sendable {
    // All of a simulation runs on one thread, see OneThread.
    private let log: any EventLog
    private let process: Process
    private var scheduler: Scheduler { process.scheduler }

    init(_ log: any EventLog, _ process: Process) {
        self.log = log
        self.process = process
    }

    var promises: Promises { log.promises }

    func create(_ topics: [Topic]) async throws { try await log.create(topics) }
    func topics() async throws -> [Topic] { try await log.topics() }

    func append(_ appends: [Append]) async throws -> [[Offset]] {
        try await process.pause("appends \(brief(appends))")
        let fault = process.takeFault()
        if fault == .aborted || fault == .unreachable { throw process.unreachable() }
        let offsets = try await log.append(appends)
        scheduler.changed()
        if fault == .unknown { throw process.unreachable() }
        try await process.pause("has appended")
        return offsets
    }

    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        try await process.pause("asks for bounds")
        return try await log.bounds(of: partitions)
    }
    func offsets(of partitions: [TopicPartition], at time: Timestamp) async throws -> [TopicPartition: Offset] {
        try await process.pause("asks for offsets")
        return try await log.offsets(of: partitions, at: time)
    }
    func committed(_ group: String, _ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        try await process.pause("asks where its group goes on")
        return try await log.committed(group, partitions)
    }

    func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        SimulatedReader(try await log.reader(from: positions), process)
    }

    func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        try await process.pause("joins \(group)")
        let log = log
        let member = SimulatedMember(process) { try await log.join(group, topics: topics, sharing: sharing) }
        try await member.rejoin()
        process.memberships.append(member)
        return member
    }

    func close() async {}
}

/// A reader outside of groups; it waits in virtual time.
private final class SimulatedReader: LogReader {
    private let reader: any LogReader
    private let process: Process

    init(_ reader: any LogReader, _ process: Process) {
        self.reader = reader
        self.process = process
    }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        let deadline = process.scheduler.now + wait
        try await process.pause("reads")
        while true {
            let version = process.scheduler.version
            let batches = try await reader.next(max: max, wait: .zero)
            if !batches.isEmpty || process.scheduler.now >= deadline || Task.isCancelled { return batches }
            try await process.pause("reads on", until: .change(since: version, until: deadline))
        }
    }
    func close() async { await reader.close() }
}

/// A process's membership of a group.
final class SimulatedMember: GroupMember, @unchecked Sendable {
    // All of a simulation runs on one thread, see OneThread.
    private let process: Process
    private let join: @Sendable () async throws -> any GroupMember
    private var member: (any GroupMember)?
    /// Whether the group has given it up, and it does not know yet.
    private var isExpelled = false
    private var scheduler: Scheduler { process.scheduler }

    init(_ process: Process, join: @escaping @Sendable () async throws -> any GroupMember) {
        self.process = process
        self.join = join
    }

    func rejoin() async throws {
        member = try await join()
        isExpelled = false
        scheduler.changed()
    }

    private func inner() throws -> any GroupMember {
        guard let member, !process.isDead else { throw Killed() }
        return member
    }

    /// Its session ran out: others are given its partitions, whatever it goes on doing.
    func expel() async {
        guard let member, !isExpelled else { return }
        isExpelled = true
        await member.leave()
        scheduler.changed()
    }

    func next(max: Int, wait: Duration) async throws -> Delivery {
        let deadline = scheduler.now + wait
        try await process.pause("asks what is next")
        while true {
            let version = scheduler.version
            let few = Swift.min(max, Int.random(in: 1...scheduler.mostRecords, using: &scheduler.random))
            let delivery = try await inner().next(max: few, wait: .zero)
            if case .idle = delivery {
                // What it had has been taken from it: it joins again, as a client of Kafka does by itself.
                if isExpelled {
                    try await rejoin()
                } else if scheduler.now >= deadline || Task.isCancelled {
                    return .idle
                } else {
                    try await process.pause("looks again", until: .change(since: version, until: deadline))
                }
                continue
            }
            scheduler.note("\(process.name) is given \(brief(delivery))")
            return delivery
        }
    }

    /// Its process is told to stop by its task, and by nobody to do anything else.
    func wake() {}

    func start(_ positions: [TopicPartition: Offset?]) async throws { try await inner().start(positions) }

    func release(_ partitions: [TopicPartition]) async throws {
        try await process.pause("releases \(brief(partitions))")
        try await inner().release(partitions)
        scheduler.changed()
    }

    func commit(_ consumed: [TopicPartition: Offset]) async throws {
        try await transact(Transaction(appends: [], consumed: consumed))
    }

    @discardableResult
    func transact(_ transaction: Transaction) async throws -> [[Offset]] {
        try await process.pause("transacts \(brief(transaction.appends))")
        let fault = process.takeFault()
        if fault == .aborted { throw LogError(.aborted, "the log gave the transaction up") }
        if fault == .unreachable { throw process.unreachable() }
        let offsets: [[Offset]]
        do {
            offsets = try await inner().transact(transaction)
        } catch let error as LogError {
            if error.kind == .fenced { scheduler.note("\(process.name) is fenced") }
            throw error
        }
        scheduler.changed()
        if fault == .unknown { throw process.unreachable() }
        try await process.pause("has transacted")
        return offsets
    }

    func leave() async {
        // The dead tell nobody: their group finds out when their session runs out.
        if process.isDead { return }
        await member?.leave()
        scheduler.changed()
    }
}

extension Process {
    /// The process ends by this, as a real one does, and may be started anew.
    func unreachable() -> LogError {
        isExcused = true
        return LogError(.unreachable, "the log does not answer")
    }
}

func brief(_ partitions: [TopicPartition]) -> String {
    partitions.sorted().map(\.description).joined(separator: " ")
}

func brief(_ appends: [Append]) -> String {
    appends.filter { !$0.records.isEmpty }.sorted { $0.target < $1.target }
        .map { "\($0.target)+\($0.records.count)" }.joined(separator: " ")
}

func brief(_ delivery: Delivery) -> String {
    switch delivery {
    case .assigned(let partitions): "partitions \(brief(partitions))"
    case .revoked(let partitions): "notice of \(brief(partitions))"
    case .lost(let partitions): "the loss of \(brief(partitions))"
    case .records(let batches): batches.map { "\($0.source)+\($0.records.count)" }.joined(separator: " ")
    case .idle: "nothing"
    }
}

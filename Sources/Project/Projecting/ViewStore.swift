public import EventLog
public import EventModel

/// Where views are kept: the tables of each projection, how far it has folded each partition, and who may write.
///
/// **Atomicity.** Rows, offsets and the owner's epoch are one transaction: a reader sees the rows of exactly the offsets it
/// is told. **Fencing.** A commit under an epoch that another claim has passed fails and changes nothing. **Trying again.**
/// A store whose transaction was given up or whose server went away may call `fold` or `body` once more, from the start.
/// **Threads.** Everything may be called from any task at once; `fold` and `body` run on a thread of the store's own and may
/// block. **Closing.** Who opened a store closes it.
public protocol ViewStore: Sendable {
    /// Makes a projection's tables where they are missing. Each version has tables of its own.
    func open(_ tables: any StoredTables) async throws
    /// Takes partitions for one owner: the epoch to commit under, and where folding goes on (nil: from the start).
    func claim(
        _ tables: any StoredTables, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim]
    /// Folds into the rows and moves the offsets on.
    /// - Throws: ``ViewError/Kind/fenced`` where one of the epochs is not the newest.
    func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws
    /// Says that much more is about to be committed to a view, or that there is no more of it: a store may then spend memory and disk on
    /// that, within limits of its own. It changes nothing of what a commit or a read means.
    ///
    /// - Parameter tidies: Whether it may take its time to put away what it has spent.
    func catchUp(_ tables: any StoredTables, _ isBehind: Bool, tidies: Bool) async throws
    /// Reads rows and the offsets they show, at one moment.
    func read<R: Sendable>(
        _ tables: any StoredTables,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R
    /// The same for a caller that needs the offsets of some partitions only. It may be given more.
    func read<R: Sendable>(
        _ tables: any StoredTables, showing partitions: [TopicPartition],
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R
    /// Reads the rows of a projection's live build and the offsets they show, at one moment.
    func read<R: Sendable>(
        liveOf projection: AnyProjection,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R
    /// A projection as its live build.
    func live(_ projection: AnyProjection) async throws -> AnyProjection
    /// Tells of commits to a build's rows, by whichever process, for as long as the watch is kept. It may tell of one twice,
    /// and of two once.
    ///
    /// - Returns: nil where the store cannot tell: then look from time to time.
    func watch(_ tables: any StoredTables, telling signal: Signal) -> (any ViewWatch)?
    /// Which state of a projection's live build a read that begins now would see, told without waiting: after a commit that any read
    /// has seen, it is another. It may also change where nothing was committed.
    ///
    /// - Returns: nil where the store cannot tell.
    func version(liveOf projection: AnyProjection) -> ViewVersion?
    /// Reads a projection's live build on the caller's thread, and waits for nobody but perhaps a disk.
    ///
    /// - Parameter body: `asOf` reads the offsets that the rows show, at the same moment. It is called again where the view has changed
    ///   while it read.
    /// - Returns: nil where the store cannot, where its disk has lately been slow, or where the read would take long: then `read` does
    ///   not hold up the caller's thread.
    func readNow<R>(
        liveOf projection: AnyProjection,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R?
    /// The same of tables that have no builds, such as a worker's.
    func readNow<R>(
        _ tables: any StoredTables,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R?
    /// Holds a view as it stands now, for reads that belong together, however long they take.
    func snapshot(_ projection: AnyProjection) async throws -> any ViewSnapshot
    /// The builds that there are of a projection's version, whichever of them is given.
    func builds(of projection: AnyProjection) async throws -> Builds
    /// Makes a build the live one, for all processes at once. The one that was live is kept as the previous.
    func promote(_ build: Int, of projection: AnyProjection) async throws
    /// Keeps everyone from folding into the live build for so long, or until another is live. What was claimed before is not
    /// affected; who claims anew finds ``Builds/isHeld``.
    func hold(_ projection: AnyProjection, for time: Duration) async throws
    /// Takes the builds of a projection's version for one who makes and swaps them, until they are let go or the process has died.
    ///
    /// - Throws: ``ViewError/Kind/busy`` where another has them, in this process or elsewhere.
    func lockBuilds(of projection: AnyProjection) async throws -> any BuildLock
    /// Removes tables and their rows: those of a build, or of a worker.
    func discard(_ tables: any StoredTables) async throws
    func close() async
}

/// A state of a view, for to see whether it is still the same. Two say nothing of which is newer, and mean something to one store in
/// one process.
public struct ViewVersion: Hashable, Sendable {
    /// Which build is live.
    public var build: Int
    /// What tells one state of a build from another: a checksum, or a number of whatever counts.
    public var counter: UInt64
    /// How many changes there were, as far as the store counts them.
    public var count: Int64
    public init(build: Int, counter: UInt64, count: Int64) {
        (self.build, self.counter, self.count) = (build, counter, count)
    }
}

/// Tells of commits to a view until it is let go.
public protocol ViewWatch: AnyObject, Sendable {}

/// Folds of one version of a projection, side by side.
public struct Builds: Hashable, Sendable {
    /// The one that queries read and projectors fold; 0 where nothing was ever rebuilt.
    public var live: Int
    /// The one that was live before it, where it is still there.
    public var previous: Int?
    /// All whose tables are there, in order.
    public var all: [Int]
    /// Another build is about to become the live one: nobody begins to fold this one.
    public var isHeld: Bool
    public init(live: Int = 0, previous: Int? = nil, all: [Int] = [], isHeld: Bool = false) {
        self.live = live
        self.previous = previous
        self.all = all
        self.isHeld = isHeld
    }
}

/// The builds of a projection's version, taken by ``ViewStore/lockBuilds(of:)``. Queries and projectors go on with the live one.
public protocol BuildLock: Sendable {
    /// Lets them go. After the first time it does nothing.
    func release() async
}

extension ViewStore {
    public func read<R: Sendable>(
        _ tables: any StoredTables, showing partitions: [TopicPartition],
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R { try await read(tables, body) }

    /// Removes a build and its rows.
    public func discard(_ build: Int, of projection: AnyProjection) async throws {
        try await discard(projection.build(build))
    }

    public func watch(_ tables: any StoredTables, telling signal: Signal) -> (any ViewWatch)? { nil }

    public func catchUp(_ tables: any StoredTables, _ isBehind: Bool, tidies: Bool) async throws {}

    public func version(liveOf projection: AnyProjection) -> ViewVersion? { nil }

    public func readNow<R>(
        liveOf projection: AnyProjection,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? { nil }

    public func readNow<R>(
        _ tables: any StoredTables,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? { nil }

    public func read<R: Sendable>(
        liveOf projection: AnyProjection,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R { try await read(live(projection), body) }

    public func live(_ projection: AnyProjection) async throws -> AnyProjection {
        projection.build(try await builds(of: projection).live)
    }

    /// Does something with a view held as it stands now, and lets it go.
    public func withSnapshot<R>(
        _ projection: AnyProjection, _ body: (any ViewSnapshot) async throws -> R
    ) async throws -> R {
        let snapshot = try await snapshot(projection)
        do {
            let result = try await body(snapshot)
            await snapshot.close()
            return result
        } catch {
            await snapshot.close()
            throw error
        }
    }

    /// The events of some partitions that a build leaves out.
    public func quarantines(
        of projection: AnyProjection, _ sources: [TopicPartition]
    ) async throws -> [TopicPartition: Quarantine] {
        try await read(projection) { reader, _ in
            try reader.quarantines(projection.quarantine).filter { sources.contains($0.key) }
        }
    }

    /// Does something with the store, and closes it.
    public func closed<R>(after body: (any ViewStore) async throws -> R) async throws -> R {
        do {
            let result = try await body(self)
            await close()
            return result
        } catch {
            await close()
            throw error
        }
    }
}

/// A view as one moment shows it: what is committed after that is not in it. Who takes one closes it, for a store may keep
/// old rows as long.
public protocol ViewSnapshot: Sendable {
    /// The offsets that its rows show.
    var asOf: [TopicPartition: Offset] { get }
    func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R
    func close() async
}

/// How often a partition of a projection has changed hands.
public struct Epoch: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: Epoch, b: Epoch) -> Bool { a.rawValue < b.rawValue }
}

public struct Claim: Hashable, Sendable {
    public var epoch: Epoch
    public var next: Offset?
    public init(epoch: Epoch, next: Offset?) {
        self.epoch = epoch
        self.next = next
    }
}

/// Why a view store could not do what it was asked.
public struct ViewError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Kind: Sendable, Hashable {
        enum Code {
            case unreachable, setting, fenced, mismatch, absent, unstorable, damaged, full, denied, busy, failed
        }
        let code: Code
        /// The database does not answer.
        public static let unreachable = Kind(code: .unreachable)
        /// The address or the database's own settings are wrong.
        public static let setting = Kind(code: .setting)
        /// Another owner has claimed the partition.
        public static let fenced = Kind(code: .fenced)
        /// The view and the log do not belong together.
        public static let mismatch = Kind(code: .mismatch)
        /// What is asked for is not there.
        public static let absent = Kind(code: .absent)
        /// A row has what this database cannot keep.
        public static let unstorable = Kind(code: .unstorable)
        public static let damaged = Kind(code: .damaged)
        public static let full = Kind(code: .full)
        public static let denied = Kind(code: .denied)
        /// Another is at it, or the machine has too much to do: it may be possible later.
        public static let busy = Kind(code: .busy)
        public static let failed = Kind(code: .failed)
    }
    public var kind: Kind
    /// What was wrong, where, and what to do.
    public var message: String
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
    public var description: String { message }

    public static func missing(_ build: AnyProjection) -> ViewError {
        ViewError(.mismatch, "there is no \(build.storage); another rebuild may have removed it")
    }

    /// - Parameter who: The one that has the builds, as somebody would look for it; nil where that is not known.
    public static func rebuilding(_ projection: AnyProjection, by who: String?) -> ViewError {
        let holder = who.map { " (\($0))" } ?? ""
        return ViewError(
            .busy, "another rebuild of \(projection.name) is under way\(holder); wait for it to end, or stop it")
    }

    static func crowded(_ projection: AnyProjection, _ source: TopicPartition) -> ViewError {
        ViewError(
            .failed,
            """
            \(Quarantine.limit) events of \(source) wait that \(projection.name) could not fold, and it stops rather than \
            leave out more. See what they are with: quarantine list; then redrive or drop them
            """)
    }

    public static func fenced(_ tables: any StoredTables, _ partition: TopicPartition) -> ViewError {
        ViewError(.fenced, "\(partition) of \(tables.name) has been claimed by another owner")
    }
}

extension ViewReader {
    /// All events that a view leaves out.
    func quarantines(_ table: Table) throws -> [TopicPartition: Quarantine] {
        var all: [Row] = []
        try everyRow(Scan(table)) { all.append($0) }
        return Quarantine.all(in: all)
    }
}

public import EventLog
public import EventModel
internal import Foundation
public import Projecting
internal import SQLiteViews

/// Snapshots of views as files: for each build of a projection's version a folder, and in it for each snapshot a database
/// of SQLite, whatever the view's own store is, and what is said of it as JSON.
///
/// A snapshot is there once its JSON is: both are written under other names, synced and renamed, the database first. One
/// process at a time writes to a build's folder, by a lock that the kernel lets go when its holder dies; who has it removes
/// what others left.
public struct SnapshotFolder: Sendable {
    public let directory: String

    public init(_ directory: String) { self.directory = directory }

    func folder(of projection: AnyProjection) -> String { "\(directory)/\(projection.storage)" }
    func database(_ snapshot: Snapshot) -> String { "\(directory)/\(snapshot.storage)/\(snapshot.name).sqlite" }
    private func said(_ snapshot: Snapshot) -> String { "\(directory)/\(snapshot.storage)/\(snapshot.name).json" }

    /// The snapshots of a build whose tables are those of the code, the oldest first.
    public func all(of projection: AnyProjection) async throws -> [Snapshot] {
        try await SQLiteViews.blocking { list(projection) }
    }

    private func list(_ projection: AnyProjection) -> [Snapshot] {
        let folder = folder(of: projection)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".json") }
            .compactMap { name in
                // What cannot be read was not written by us, or is damaged: it is as if it were not there.
                guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
                    let snapshot = try? JSONDecoder().decode(Snapshot.self, from: data),
                    snapshot.storage == projection.storage, snapshot.shape == projection.shape,
                    "\(snapshot.name).json" == name, snapshot.isPlausible
                else { return nil }
                return snapshot
            }
            .sorted { ($0.events, $0.name) < ($1.events, $1.name) }
    }

    /// Keeps a view as one moment shows it, and removes what is beyond the limits.
    ///
    /// - Parameter log: The one that it was folded from.
    /// - Returns: nil where the same is kept already, or another process is just keeping one.
    /// - Throws: ``ViewError/Kind/full`` where too little room is left, ``AheadOfLog`` where the view shows what the log has
    ///   not.
    @discardableResult
    public func keep(
        _ view: any ViewSnapshot, of projection: AnyProjection, from log: any EventLog, limits: SnapshotLimits
    ) async throws -> Snapshot? {
        try await log.checkReach(of: projection, asOf: view.asOf)
        let folder = folder(of: projection)
        guard let lock = try await SQLiteViews.blocking({ try FileLock(in: folder) }) else { return nil }
        defer { lock.release() }
        let before = try await SQLiteViews.blocking { [self] in
            let there = list(projection)
            sweep(folder, but: there)
            return there
        }
        if before.contains(where: { $0.offsets == view.asOf }) { return nil }
        try await checkRoom(in: folder, before.last?.bytes ?? 0, limits)
        let sources = try await log.sources(view.asOf, after: before)
        let events = sources.reduce(0) { $0 + $1.next.rawValue }
        var snapshot = Snapshot(
            name: "\(events)-\(UUID().uuidString.prefix(8))", storage: projection.storage, shape: projection.shape,
            sources: sources, bytes: 0, checksum: 0)
        let path = database(snapshot)
        defer { unlink(path + Files.partial) }
        try await SQLiteViews.write(view, of: projection, to: path + Files.partial)
        (snapshot.bytes, snapshot.checksum) = try await SQLiteViews.blocking { try Files.sync(path + Files.partial) }
        let kept = snapshot
        try await SQLiteViews.blocking { [self] in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            try Files.rename(path)
            let file = said(kept) + Files.partial
            if let code = PrivateFiles.makeFile(file) {
                errno = code
                throw Files.failure(file)
            }
            try encoder.encode(kept).write(to: URL(fileURLWithPath: file))
            _ = try Files.sync(said(kept) + Files.partial)
            try Files.rename(said(kept))
            let all = list(projection)
            for surplus in limits.surplus(all.map { ($0.events, $0.bytes) }) { remove(all[surplus]) }
        }
        return kept
    }

    private func checkRoom(in folder: String, _ expected: Int64, _ limits: SnapshotLimits) async throws {
        let free = try await SQLiteViews.blocking { try Files.free(folder) }
        let needed = expected + expected / 4 + limits.room
        if free < needed {
            throw ViewError(
                .full, "\(folder): \(free >> 20) MiB are free, a snapshot is kept where \(needed >> 20) MiB are")
        }
    }

    /// What is said of it goes first: without that its database is nothing.
    private func remove(_ snapshot: Snapshot) {
        unlink(said(snapshot))
        unlink(database(snapshot))
    }

    /// Removes what belongs to no snapshot.
    private func sweep(_ folder: String, but snapshots: [Snapshot]) {
        let belongs = Set(snapshots.flatMap { ["\($0.name).json", "\($0.name).sqlite"] } + [FileLock.name])
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !belongs.contains(name) {
            unlink("\(folder)/\(name)")
        }
    }

    /// Copies a snapshot's database, and checks that it is what was written.
    ///
    /// - Throws: ``ViewError/Kind/damaged`` where it is not.
    func copy(_ snapshot: Snapshot, to path: String) async throws {
        let from = database(snapshot)
        try await SQLiteViews.blocking {
            let (bytes, checksum) = try Files.copy(from, to: path)
            if (bytes, checksum) != (snapshot.bytes, snapshot.checksum) {
                throw ViewError(
                    .damaged, "\(from) is damaged (\(bytes) bytes, \(snapshot.bytes) were written); delete it")
            }
        }
    }

    /// Removes the snapshots of builds that are no longer there.
    public func discard(_ projection: AnyProjection, but builds: Builds) async throws {
        let kept = Set(builds.all + [builds.live] + [builds.previous].compactMap { $0 })
        try await SQLiteViews.blocking { [self] in
            for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
                if let build = projection.build(keptUnder: name), !kept.contains(build) {
                    try? FileManager.default.removeItem(atPath: "\(directory)/\(name)")
                }
            }
        }
    }
}

extension Snapshot {
    /// Whether its numbers may be those that were written: they are not under the checksum of its database.
    fileprivate var isPlausible: Bool {
        bytes >= 0 && Stored.offset(bytes) != nil
            && sources.allSatisfy { source in
                Stored.offset(source.next.rawValue) != nil
                    && source.mark.map { Stored.offset($0.last.rawValue) != nil } ?? true
                    && source.time.map { Timestamp.calendar.contains($0) } ?? true
            }
    }
}

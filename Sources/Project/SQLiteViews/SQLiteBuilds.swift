internal import EventLog
public import EventModel
internal import Foundation
internal import GRDB
public import Projecting

/// Builds are databases side by side. Which one is live is told by a file beside them: its number, that of the previous one or
/// a dash, and until when it is held, in milliseconds since 1970. The file is replaced as a whole.
extension SQLiteViews {
    private func pointer(_ projection: AnyProjection) -> String { "\(directory)/\(projection.build(0).storage).live" }

    public func builds(of projection: AnyProjection) async throws -> Builds {
        try await Self.blocking { [self] in
            var builds = try pointed(projection)
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            builds.all = files.filter { $0.hasSuffix(".sqlite") }
                .compactMap { projection.build(keptUnder: String($0.dropLast(7))) }.sorted()
            return builds
        }
    }

    public func live(_ projection: AnyProjection) async throws -> AnyProjection {
        try await Self.blocking { [self] in projection.build(try pointed(projection).live) }
    }

    /// A read asks which build is live and reads it on the same thread.
    public func read<R: Sendable>(
        liveOf projection: AnyProjection,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R {
        try await readers.run { [self] in
            let live = projection.build(try pointed(projection).live)
            do {
                return try opened(live).read { db in try body(SQLiteReader(db: db), Checkpoints.offsets(db)) }
            } catch {
                throw Self.own(error, path(of: live))
            }
        }
    }

    /// The numbers that builds may have.
    private static let numbers = 0...1_000_000_000

    /// What the file says.
    private func pointed(_ projection: AnyProjection) throws -> Builds {
        let pointer = pointer(projection)
        if access(pointer, F_OK) != 0 { return Builds() }
        let text = try? String(contentsOfFile: pointer, encoding: .utf8)
        let fields = (text ?? "").split(whereSeparator: \.isWhitespace)
        guard fields.count == 3, let live = Int(fields[0]), Self.numbers.contains(live), let held = Int64(fields[2])
        else {
            throw ViewError(
                .damaged, "\(pointer) names no build; delete it, and the first one is live again, or rebuild")
        }
        return Builds(
            live: live, previous: Int(fields[1]).flatMap { Self.numbers.contains($0) ? $0 : nil },
            isHeld: held > Self.now)
    }

    public func promote(_ build: Int, of projection: AnyProjection) async throws {
        let builds = try await builds(of: projection)
        if !builds.all.contains(build) { throw ViewError.missing(projection.build(build)) }
        try await point(projection, "\(build) \(builds.live) 0")
    }

    public func hold(_ projection: AnyProjection, for time: Duration) async throws {
        let builds = try await builds(of: projection)
        let previous = builds.previous.map { String($0) } ?? "-"
        try await point(projection, "\(builds.live) \(previous) \(Self.now + time.milliseconds)")
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    private func point(_ projection: AnyProjection, _ text: String) async throws {
        let pointer = pointer(projection)
        try await Self.blocking {
            do {
                try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: pointer), options: .atomic)
                PrivateFiles.hide(pointer)
            } catch {
                throw ViewError(.denied, "\(pointer) cannot be written: \((error as NSError).localizedDescription)")
            }
        }
    }

    public func discard(_ tables: any StoredTables) async throws {
        let path = path(of: tables)
        try await Self.blocking { [self] in
            close(tables)
            for suffix in ["-wal", "-shm", ""] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
    }
}

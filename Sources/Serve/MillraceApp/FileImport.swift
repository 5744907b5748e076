internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

/// Imports a file's lines as records, each exactly once.
///
/// How far a file has come is a record of `millrace.imports`, committed together with the lines' own records by a member of
/// a group that only one import of this file can be in. A file is known again by its content: the digests of the lines that
/// were imported, so that a renamed file is the same, a grown one goes on, a shorter copy has nothing new, and another one
/// starts from its beginning. The input is read once, so that it may be a pipe. A last line without a line feed may still be
/// written: where it is readable it is imported and noted as the tail behind the digest, else it is left to the next import.
struct FileImport {
    static let batch = 10_000
    /// How long to wait for another import of the same file to end.
    static let patience = Duration.seconds(15)
    /// Where an input stands still for so long, what has come of it is written.
    static let stillness = Duration.milliseconds(200)

    var importer: Importer
    /// For a file of which nothing has been read.
    var reader: ImportReader
    var file: String
    var onError: OnError
    /// Whose handler decides the commands that are imported.
    var deciding: Domain?
    /// How long to wait for its next outcome.
    var wait: Duration

    /// - Parameters:
    ///   - stop: Ends the reading.
    ///   - telling: Whether it says how far it has come whenever something is written.
    func run(_ log: any EventLog, until stop: InputStop? = nil, telling: Bool = false) async throws -> Summary {
        let start = ContinuousClock.now
        let counts = try await log.partitionCounts()
        guard let count = counts[importer.topic] else { throw LogError.unknown(importer.topic) }
        if counts[Topic.imports.name] == nil { throw LogError.unknown(Topic.imports.name) }
        let source = try LineSource(file, limit: Limits.lineBytes, stop: stop)
        let first = try await source.next() ?? []
        let opening = first.first?.bytes ?? []
        let spaces: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        let worded = first.first { line in !line.bytes.allSatisfy { spaces.contains($0) } }
        let reader = reader.told?(worded?.bytes ?? opening) ?? reader
        let (marks, hasMark) = try await marks(log, source, opening)
        let outcomes = try await follow(log)
        do {
            var summary = try await importing(log, marks) { place, member, recognition in
                let writer = ImportWriter(
                    member, place, marks, PartitionCount(of: importer.topic, on: log, count, isFixed: deciding != nil),
                    outcomes)
                let work = ImportWork(
                    job: self, reader: reader, source: source, hasMark: hasMark, recognition: recognition,
                    writer: writer)
                work.isTelling = telling
                return try await work.run(first)
            }
            summary.took = .now - start
            if let outcomes { summary.outcomes = try await outcomes.finish(within: wait) }
            await outcomes?.close()
            return summary
        } catch {
            await outcomes?.close()
            throw error
        }
    }

    /// Where the log keeps what it knows of files with this first line, and whether a byte order mark belongs to that line:
    /// an older version took it for a part of it.
    private func marks(
        _ log: any EventLog, _ source: LineSource, _ first: ArraySlice<UInt8>
    ) async throws -> (ImportMarks, hasMark: Bool) {
        func marks(_ head: Digest) -> ImportMarks {
            ImportMarks(identity: "\(importer.name)/\(reader.scope)/\(String(head.value, radix: 16))")
        }
        if source.hadMark {
            let older = marks(Digest(first, marked: true))
            let place = TopicPartition(Topic.imports.name, 0)
            if try await !older.files(log, place).isEmpty { return (older, true) }
        }
        return (marks(Digest(first)), false)
    }

    /// Does an import while no other one of this file can.
    private func importing(
        _ log: any EventLog, _ marks: ImportMarks,
        _ work: (TopicPartition, any GroupMember, Recognition) async throws -> Summary
    ) async throws -> Summary {
        let member = try await log.join("import:\(marks.identity)", topics: [Topic.imports.name])
        do {
            let place = try await claim(member)
            let summary = try await work(place, member, Recognition(try await marks.files(log, place)))
            await member.leave()
            return summary
        } catch {
            await member.leave()
            throw error
        }
    }

    private func follow(_ log: any EventLog) async throws -> ImportOutcomes? {
        guard let deciding else { return nil }
        return try await ImportOutcomes(log, deciding)
    }

    /// Waits until this import alone holds the one partition of the imports topic in its group.
    private func claim(_ member: any GroupMember) async throws -> TopicPartition {
        let deadline = ContinuousClock.now + Self.patience
        while .now < deadline {
            if case .assigned(let partitions) = try await member.next(max: 1, wait: .milliseconds(200)),
                let place = partitions.first
            {
                return place
            }
        }
        throw Failure(
            .tryAgain,
            "another import of \(file), or of a file with the same first line, is under way; wait for it to end")
    }
}

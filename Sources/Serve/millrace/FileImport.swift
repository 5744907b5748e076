internal import EventLog
internal import EventModel
internal import Foundation

/// Imports a file's lines as records, each exactly once.
///
/// How far a file has come is a record of `millrace.imports`, committed together with the lines' own records by a member of
/// a group that only one import of this file can be in. A file is known again by its content: the digest of the lines that
/// were imported, so that a renamed file is the same, a grown one goes on, and another one starts from its beginning. A last
/// line without a line feed may still be written: where it is readable it is imported and noted as the tail behind the
/// digest, else it is left to the next import.
struct FileImport {
    static let batch = 10_000
    /// How long to wait for another import of the same file to end.
    static let patience = Duration.seconds(15)

    var importer: String
    /// What sets imports of one file apart, such as the site; empty where nothing does.
    var scope: String
    var file: String
    var onError: OnError
    var topic: String
    /// What to say where no line could be read.
    var hint = ""
    /// Takes the first line of a file that begins with its columns' names. It is called before any other line is read, also
    /// where an import goes on in the middle.
    var header: ((ArraySlice<UInt8>) throws(Malformed) -> Void)?
    /// Takes a line that was imported before, where lines after it depend on it.
    var passed: ((ArraySlice<UInt8>) -> Void)?
    /// What else there is to say of the file, when all of it has been read.
    var notes: (() -> [String])?
    /// What a line says; nil where it says nothing. A line that it refuses is bad, and counted by the refusal's reason.
    var read: (ArraySlice<UInt8>) throws -> Imported?

    /// One line's records, all of one topic and in order, and when what it tells of began.
    struct Imported {
        var records: [NewRecord]
        var time: Timestamp
        /// When what it tells of ended, where that is later.
        var ended: Timestamp?
    }

    func run(_ log: any EventLog) async throws -> Summary {
        let start = ContinuousClock.now
        let counts = try await log.partitionCounts()
        guard let count = counts[topic] else { throw LogError.unknown(topic) }
        if counts[TopicFile.imports.name] == nil { throw LogError.unknown(TopicFile.imports.name) }
        let head = try await firstLine()
        if let header {
            do throws(Malformed) {
                try header(head)
            } catch {
                throw Failure(.data, "\(file): \(error.message)")
            }
        }
        let identity = "\(importer)/\(scope)/\(String(Digest(head).value, radix: 16))"
        let member = try await log.join("import:\(identity)", topics: [TopicFile.imports.name])
        do {
            let place = try await claim(member)
            let marks = try await marks(log, place, identity)
            var summary = try await run(log, member, place, identity, marks, count)
            summary.took = .now - start
            summary.notes += notes?() ?? []
            summary.hint = hint
            await member.leave()
            return summary
        } catch {
            await member.leave()
            throw error
        }
    }

    private func firstLine() async throws -> ArraySlice<UInt8> {
        let source = try LineSource(file, limit: Limits.lineBytes)
        return try await source.next()?.first?.bytes ?? []
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
        throw Failure(.tryAgain, "another import of \(file) is under way; wait for it to end")
    }

    /// A mark: so many lines, of this digest, have been imported, and perhaps an unfinished one after them.
    private struct Mark {
        var key: String
        var lines: Int
        var digest: UInt64
        var tail = false
    }

    private func marks(_ log: any EventLog, _ place: TopicPartition, _ identity: String) async throws -> [Mark] {
        var marks: [String: Mark] = [:]
        guard let bounds = try await log.bounds(of: [place])[place] else { return [] }
        try await log.scan(place, from: bounds.lowerBound, to: bounds.upperBound) { batch in
            for record in batch.records where record.key.text.hasPrefix(identity + "/") {
                let parts = record.value.text.split(separator: " ")
                guard parts.count >= 2, let lines = Int(parts[0]), let digest = UInt64(parts[1], radix: 16) else {
                    continue
                }
                let tail = parts.count > 2 && parts[2] == "tail"
                marks[record.key.text] = Mark(key: record.key.text, lines: lines, digest: digest, tail: tail)
            }
        }
        return marks.values.sorted { $0.lines > $1.lines }
    }

    /// Walks the file once to find which mark it matches; gives that one, or a fresh one.
    private func resume(_ marks: [Mark], _ identity: String) async throws -> Mark {
        let fresh = Mark(key: "\(identity)/\(marks.count)", lines: 0, digest: Digest().value)
        if marks.isEmpty { return fresh }
        let source = try LineSource(file, limit: Limits.lineBytes)
        var digest = Digest()
        var lines = 0
        var found = fresh
        let farthest = marks[0].lines
        while lines < farthest, let chunk = try await source.next() {
            for line in chunk where lines < farthest {
                digest.add(line.bytes)
                lines += 1
                if let mark = marks.first(where: { $0.lines == lines && $0.digest == digest.value }) { found = mark }
            }
        }
        return found
    }

    private func run(
        _ log: any EventLog, _ member: any GroupMember, _ place: TopicPartition, _ identity: String, _ marks: [Mark],
        _ count: Int
    ) async throws -> Summary {
        let mark = try await resume(marks, identity)
        let source = try LineSource(file, limit: Limits.lineBytes)
        var summary = Summary(file: file)
        var (finished, digest, tail) = (0, Digest(), mark.tail)
        var pending: [TopicPartition: [NewRecord]] = [:]
        var kinds: [String: Int] = [:]
        var (size, records) = (0, 0)
        let name = (file as NSString).lastPathComponent
        var progress = Progress("importing \(name)", total: nil)

        func commit() async throws {
            if finished <= mark.lines && tail == mark.tail { return }
            let record = NewRecord(
                key: Bytes(mark.key),
                value: Bytes("\(finished) \(String(digest.value, radix: 16)) \(tail ? "tail" : "end") \(name)"),
                timestamp: now(), headers: [Header(HeaderName.type, "ImportMark")])
            let appends = pending.map { Append($0.key, $0.value) }
            let offsets = try await member.transact(
                Transaction(
                    appends: appends + [Append(place, [record])], consumed: [place: Offset(Int64(finished))]))
            for (append, offsets) in zip(appends, offsets) { summary.ends[append.target] = offsets.last }
            summary.imported += size
            summary.records += records
            summary.kinds.merge(kinds, uniquingKeysWith: +)
            (pending, kinds, size, records) = ([:], [:], 0, 0)
            progress.show(summary.imported, unit: "lines")
        }

        while let lines = try await source.next() {
            for line in lines {
                if summary.lines < mark.lines + (mark.tail ? 1 : 0) {
                    summary.lines += 1
                    summary.known += 1
                    if summary.lines > mark.lines && line.unfinished { continue }
                    digest.add(line.bytes)
                    finished += 1
                    passed?(line.bytes)
                    if summary.lines > mark.lines { tail = false }
                    continue
                }
                do {
                    if let imported = try imported(line) {
                        tail = line.unfinished
                        for record in imported.records {
                            let target = TopicPartition(topic, Partitioner.partition(of: record.key, among: count))
                            pending[target, default: []].append(record)
                            if let type = record.headers.first(where: { $0.name == HeaderName.type }) {
                                kinds[type.value.text, default: 0] += 1
                            }
                        }
                        size += 1
                        records += imported.records.count
                        summary.first = min(summary.first ?? imported.time, imported.time)
                        let ended = imported.ended ?? imported.time
                        summary.last = max(summary.last ?? ended, ended)
                    }
                } catch let no as any Refusal {
                    let why = (no as? Malformed)?.inLine ?? "\(no.reason): \(no.message)"
                    Output.complain("line \(line.number): \(why)")
                    summary.bad += 1
                    summary.reasons[no.reason, default: 0] += 1
                    if onError == .stop {
                        try await commit()
                        progress.end()
                        throw Failure(
                            .data,
                            "stopped at line \(line.number) of \(file); \(summary.imported) lines before it were imported. --on-error skip goes on"
                        )
                    }
                }
                summary.lines += 1
                if !line.unfinished {
                    digest.add(line.bytes)
                    finished += 1
                }
                if max(size, records) >= Self.batch { try await commit() }
            }
        }
        try await commit()
        progress.end()
        return summary
    }

    private func imported(_ line: LineSource.Line) throws -> Imported? {
        if line.tooLong { throw Malformed("line", "is over \(Limits.lineBytes) bytes") }
        if line.bytes.isEmpty || header != nil && line.number == 1 { return nil }
        guard let imported = try read(line.bytes) else { return nil }
        let ended = imported.ended ?? imported.time
        if max(imported.time, ended) > now() + maximumClockSkew {
            throw Malformed(
                "time", "\(ended.rfc3339) is over \(maximumClockSkew.short) ahead of this machine's clock")
        }
        return imported
    }
}

/// The hash of lines: tells files apart that differ by accident.
struct Digest {
    private var hash = FNV1a()
    var value: UInt64 { hash.value }

    init() {}
    init(_ line: ArraySlice<UInt8>) { add(line) }

    mutating func add(_ line: ArraySlice<UInt8>) {
        line.withUnsafeBytes { hash.add($0) }
        hash.add(0x0a)
    }
}

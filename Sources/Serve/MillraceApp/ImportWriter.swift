internal import EventLog
internal import EventModel
internal import MillraceBus

/// Writes an import's records, each batch in one transaction with the marks that say how far it has come.
final class ImportWriter {

    /// A record that waits to be written.
    struct Waiting {
        var record: NewRecord
        var moment: Timestamp
        /// The line it is of, and how many lines that spans.
        var line: Int
        var lines: Int
    }

    /// What has been written.
    struct Written {
        var records = 0
        var kinds: [String: Int] = [:]
        /// The last offset in each partition.
        var ends: [TopicPartition: Offset] = [:]
    }

    /// How often it tells its group that it is there. Kafka's take a member for dead that asks for nothing for
    /// `max.poll.interval.ms`, which are five minutes unless it is set: as long as an input may well stand still.
    static let heed = Duration.seconds(2)

    private let member: any GroupMember
    private var heeded = ContinuousClock.now
    private let place: TopicPartition
    private let marks: ImportMarks
    private var spread: PartitionCount
    private let outcomes: ImportOutcomes?
    private(set) var written = Written()

    /// How far the file is written, as the log has it.
    private(set) var file: ImportedFile
    /// Whether the log knows this file, so that what follows on it is noted even where it holds no records.
    private var isMarked = false

    init(
        _ member: any GroupMember, _ place: TopicPartition, _ marks: ImportMarks, _ spread: PartitionCount,
        _ outcomes: ImportOutcomes?
    ) {
        (self.member, self.place, self.marks) = (member, place, marks)
        (self.spread, self.outcomes) = (spread, outcomes)
        file = ImportedFile(number: -1)
    }

    /// Tells its group that it is there, where that is due.
    ///
    /// - Throws: ``LogError/Kind/fenced`` where another import of the same file has its place.
    func stay() async throws {
        if .now - heeded < Self.heed { return }
        heeded = .now
        do {
            switch try await member.next(max: 1, wait: .zero) {
            case .assigned, .records, .idle: return
            case .revoked(let partitions): try await member.release(partitions)
            case .lost: break
            }
        } catch let error as LogError where error.mayPass {
            // Nothing is to be written now. What is to be written later finds out.
            return
        }
        throw LogError(
            .fenced,
            """
            this import has lost its place: another one of the same file has begun, or this one was stopped for a while. \
            Import the file again: what is in is known
            """)
    }

    /// Goes on behind a file that the log knows.
    func go(on file: ImportedFile) { (self.file, isMarked) = (file, true) }

    /// Begins one that it does not know.
    func begin(_ number: Int, bad: LineRanges) {
        (file, isMarked) = (ImportedFile(number: number), false)
        file.bad = bad
    }

    /// How far an import has come: all lines through the last finished one are done with.
    struct Progress {
        var lines: Int
        var digest: UInt64
        var tail: Bool
        var bad: LineRanges
        var name: String
    }

    /// Writes records and how far that is, in one transaction.
    func commit(_ records: [NewRecord], _ progress: Progress, _ digests: inout LineDigests) async throws {
        let hasMoved = progress.lines > file.lines || progress.tail != file.tail
        // A file of which nothing could be imported is not known: it may be readable another day.
        var saying: [NewRecord] = []
        if isMarked || !records.isEmpty {
            if hasMoved || !isMarked || file.run != nil {
                saying.append(mark(progress))
                if progress.lines > file.lines {
                    saying += digests.takeChanged().map {
                        marks.record(file.number, "/lines/\($0.part)", $0.text, type: "ImportDigests")
                    }
                }
            }
            if progress.bad != file.bad { saying.append(bad(progress.bad)) }
            if file.run != nil { saying.append(marks.record(file.number, "/run", "-", type: "ImportRun")) }
        }
        if saying.isEmpty && records.isEmpty { return }
        try await write(records, saying, consumed: progress.lines)
        (file.lines, file.digest, file.tail) = (progress.lines, progress.digest, progress.tail)
        (file.bad, file.run, isMarked) = (progress.bad, nil, true)
    }

    /// Notes only which lines are bad: the file is within another.
    func commit(_ records: [NewRecord], bad: LineRanges) async throws {
        if records.isEmpty && bad == file.bad { return }
        try await write(records, [self.bad(bad)], consumed: file.lines)
        file.bad = bad
    }

    /// Writes records in the order of their moments, in as many transactions as it takes; one that was interrupted goes on.
    /// - Returns: the lines of which something was written now.
    func commit(
        byTime waiting: [Waiting], _ progress: Progress, _ digests: inout LineDigests
    ) async throws -> Int {
        // The sort is stable, so the same lines are always in the same order.
        let ordered = waiting.enumerated().sorted { ($0.element.moment, $0.offset) < ($1.element.moment, $1.offset) }
            .map(\.element)
        var run = ImportedFile.Run(
            lines: progress.lines, digest: progress.digest, records: ordered.count, written: 0)
        if let begun = file.run, begun.lines == run.lines, begun.digest == run.digest, begun.records == run.records {
            run.written = begun.written
        }
        var rest = ordered[run.written...]
        let lines = rest.reduce(into: [Int: Int]()) { $0[$1.line] = $1.lines }
        while rest.count > FileImport.batch {
            let batch = rest.prefix(FileImport.batch)
            rest = rest.dropFirst(FileImport.batch)
            run.written += batch.count
            var saying = [marks.record(file.number, "/run", run.text, type: "ImportRun")]
            if !isMarked {
                saying.append(
                    mark(
                        Progress(
                            lines: file.lines, digest: file.digest, tail: file.tail, bad: file.bad, name: progress.name)
                    ))
            }
            if progress.bad != file.bad { saying.append(bad(progress.bad)) }
            try await write(batch.map(\.record), saying, consumed: file.lines)
            (file.run, file.bad, isMarked) = (run, progress.bad, true)
        }
        try await commit(rest.map(\.record), progress, &digests)
        return lines.values.reduce(0, +)
    }

    private func mark(_ progress: Progress) -> NewRecord {
        let digest = String(progress.digest, radix: 16)
        return marks.record(
            file.number, "", "\(progress.lines) \(digest) \(progress.tail ? "tail" : "end") \(progress.name)")
    }

    private func bad(_ lines: LineRanges) -> NewRecord {
        marks.record(file.number, "/bad", lines.text, type: "ImportBadLines")
    }

    private func write(_ records: [NewRecord], _ saying: [NewRecord], consumed lines: Int) async throws {
        try await stay()
        let appends = Append.byKey(records, to: spread.topic, among: try await spread.now())
        let offsets = try await member.transact(
            Transaction(appends: appends + [Append(place, saying)], consumed: [place: Offset(Int64(lines))]))
        for (append, offsets) in zip(appends, offsets) { written.ends[append.target] = offsets.last }
        for record in records {
            if let type = record.headers.first(where: { $0.name == HeaderName.type }) {
                written.kinds[type.value.text, default: 0] += 1
            }
        }
        written.records += records.count
        try await outcomes?.expect(appends, offsets)
    }
}

internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

/// One import under way: takes the lines as they come, holds back those of which it is not known yet whether they were
/// imported before, and makes records of the others.
final class ImportWork {
    /// Bytes of lines that are held back. Marks of this version hold back ``Recognition/shared`` lines at most, but for 0.05%
    /// of a long file; those of older versions all lines that they count.
    static let mostHeld = 64 << 20

    private let job: FileImport
    private let reader: ImportReader
    private let source: LineSource
    /// Whether the digests have a byte order mark before the first line.
    private let hasMark: Bool
    private let writer: ImportWriter
    private var summary: FileImport.Summary
    private var complaints = Complaints()
    private var progress: Progress
    private let name: String

    // What has been read.
    private var recognition: Recognition
    private var digest = Digest()
    private var digests = LineDigests()
    private var read = 0
    /// The first line.
    private var opening: ArraySlice<UInt8> = []
    private var held: [(line: LineSource.Line, digest: UInt64)] = []
    private var heldBytes = 0
    /// Whether so much was held back that the file is to be read once more.
    private var isOver = false
    private var isDecided = false
    /// A last line without an end, met before it was decided what the file is.
    private var ending: LineSource.Line?
    /// Whether the file is a shorter copy of one that was imported.
    private var isCopy = false

    // What has been done with.
    private var table = TableRecords()
    private var hasHeader = false
    private var passed = 0
    private var passedDigest = Digest().value
    private var lines = 0
    private var linesDigest = Digest().value
    private var tail = false
    private var bad = LineRanges()
    private var records: [NewRecord] = []
    /// The records instead, where they are put in the order of their moments.
    private var waiting: [ImportWriter.Waiting] = []
    private var linesWaiting = 0
    /// Whether it says how far it has come whenever something is written.
    var isTelling = false
    private var told = 0

    init(
        job: FileImport, reader: ImportReader, source: LineSource, hasMark: Bool, recognition: Recognition,
        writer: ImportWriter
    ) {
        (self.job, self.reader, self.source, self.hasMark) = (job, reader, source, hasMark)
        (self.recognition, self.writer) = (recognition, writer)
        summary = FileImport.Summary(file: job.file)
        name = (job.file as NSString).lastPathComponent
        progress = Progress("importing \(name)", total: nil)
    }

    /// - Parameter first: the first lines of the source.
    func run(_ first: [LineSource.Line]) async throws -> FileImport.Summary {
        do {
            try await takeAll(first)
        } catch let stopped as Stopped {
            try await commit()
            finish()
            throw Failure(
                .data,
                "stopped at line \(stopped.line) of \(job.file); \(summary.imported) lines before it were imported. --on-error skip goes on"
            )
        }
        try await commit()
        finish()
        return summary
    }

    /// A bad line, where there may be none.
    private struct Stopped: Error {
        var line: Int
    }

    private func takeAll(_ first: [LineSource.Line]) async throws {
        opening = first.first?.bytes ?? []
        if recognition.isDecided { try await decide() }
        var chunk: [LineSource.Line]? = first
        while let lines = chunk {
            for line in lines {
                if isDecided {
                    note(line)
                    try feed(line, digest.value)
                    if isFull { try await commit() }
                } else {
                    try await take(line)
                }
            }
            // A pipe that stays open: what has come is not kept waiting for what may come.
            if isDecided, !job.importer.isByTime, await !source.hasMore(within: FileImport.stillness) {
                try await commit()
            }
            try await writer.stay()
            chunk = try await source.next(every: ImportWriter.heed) { try await writer.stay() }
        }
        if !isDecided { try await end() }
        if source.stopped == nil { for record in table.end() { try handle(record) } }
        if reader.header != nil && !hasHeader { try readHeader([]) }
    }

    private func finish() {
        progress.end()
        complaints.end()
        if !isCopy && writer.file.bad.uncounted > 0 { countUnkept() }
        summary.notes += reader.notes?() ?? []
        (summary.damage, summary.stopped) = (source.damage, source.stopped)
        summary.hint = reader.hint
    }

    // MARK: What was imported before

    /// A line before it is decided what the file is.
    private func take(_ line: LineSource.Line) async throws {
        if line.unfinished {
            ending = line
            return
        }
        note(line)
        recognition.add(read, digest.value)
        hold(line)
        if recognition.lines > passed && !isOver { try await pass(through: recognition.lines) }
        if recognition.isDecided { try await decide() }
    }

    private func note(_ line: LineSource.Line) {
        if line.unfinished { return }
        digest.add(line.bytes, marked: line.number == 1 && hasMark)
        read += 1
        digests.add(read, digest.value)
    }

    private func hold(_ line: LineSource.Line) {
        if isOver { return }
        held.append((line, digest.value))
        heldBytes += line.bytes.count + MemoryLayout<LineSource.Line>.stride
        if heldBytes > Self.mostHeld { (isOver, held, heldBytes) = (true, [], 0) }
    }

    /// These lines were imported before, of a file that the log knows.
    private func pass(through last: Int) async throws {
        if let file = recognition.file { try await adopt(recognition.files[file]) }
        let count = held.firstIndex { $0.line.number > last } ?? held.count
        let known = held[..<count]
        held.removeFirst(count)
        heldBytes = held.reduce(0) { $0 + $1.line.bytes.count + MemoryLayout<LineSource.Line>.stride }
        for (line, digest) in known {
            try feed(line, digest, isKnown: true)
            if isFull { try await commit() }
        }
    }

    /// Goes on as this file, whose bad lines may be good now.
    private func adopt(_ file: ImportedFile) async throws {
        if writer.file.number == file.number { return }
        try await commit()
        writer.go(on: file)
        // Those behind its lines are of a part that was interrupted, and are read again.
        bad = file.bad.through(file.lines)
    }

    /// What comes is new: either behind a file's end, or another file's.
    private func decide() async throws {
        if let file = recognition.file { try await adopt(recognition.files[file]) }
        if isOver && recognition.isWhole && recognition.lines == read && writer.file.bad.count == 0,
            reader.passed == nil
        {
            return try skipAll()
        }
        if isOver && !source.isFile {
            throw Failure(
                .data,
                """
                \(job.file) is a stream that begins as a file does which an older version imported, and over \
                \(Self.mostHeld >> 20) MiB of it would have to be kept to tell them apart; import it from a file
                """)
        }
        if !recognition.isWhole {
            try await commit()
            let kept = bad.count(through: recognition.lines)
            let shared = recognition.file.map { recognition.files[$0].name }
            if let shared { summary.notes.append("its first \(recognition.lines) lines were imported as \(shared)") }
            let number = (recognition.files.map(\.number).max() ?? -1) + 1
            bad = LineRanges(uncounted: kept)
            writer.begin(number, bad: bad)
        }
        tail = recognition.isWhole && writer.file.tail
        isDecided = true
        if isOver { return try await readAgain() }
        let known = held
        (held, heldBytes) = ([], 0)
        for (line, digest) in known {
            try feed(line, digest)
            if isFull { try await commit() }
        }
    }

    /// All that was read was imported before; it need not be looked at again.
    private func skipAll() throws {
        if reader.header != nil && !hasHeader { try readHeader(opening) }
        summary.lines += read - passed
        summary.known += read - passed
        (passed, passedDigest, lines, linesDigest) = (read, digest.value, read, digest.value)
        (tail, isDecided) = (writer.file.tail, true)
    }

    /// Opens the file once more for the lines that were too many to hold.
    private func readAgain() async throws {
        let again = try LineSource(job.file, limit: Limits.lineBytes)
        var (count, digest) = (0, Digest())
        while count < read, let lines = try await again.next() {
            try await writer.stay()
            for line in lines where count < read && !line.unfinished {
                digest.add(line.bytes, marked: line.number == 1 && hasMark)
                count += 1
                if count == passed && digest.value != passedDigest { count = .max }
                if count > passed && count <= read { try feed(line, digest.value) }
                if isFull { try await commit() }
            }
        }
        if count != read || digest.value != self.digest.value {
            throw Failure(.data, "\(job.file) was changed while it was read; import it again")
        }
    }

    /// The input has ended before it was decided what it is.
    private func end() async throws {
        // The last line can only be looked at where the columns are known.
        if ending != nil && !hasHeader { try? reader.header?(opening) }
        guard !isOver, let copy = recognition.end(read, ending.map(readTail)) else {
            try await decide()
            if let ending { try feed(ending, digest.value) }
            return
        }
        let file = recognition.files[copy.file]
        try await adopt(file)
        (isCopy, isDecided) = (true, true)
        let known = held
        held = []
        for (line, digest) in known { try feed(line, digest, isKnown: true) }
        if ending != nil {
            summary.lines += 1
            summary.known += 1
        }
        var note =
            "it is a shorter copy of \(file.name), of which \(file.lines) lines were imported: nothing in it is new"
        if copy.unchecked > 0 { note += "; its last \(copy.unchecked) lines are taken to be the same" }
        summary.notes.append(note)
    }

    private func readTail(_ line: LineSource.Line) -> Recognition.Tail {
        var whole = digest
        whole.add(line.bytes, marked: line.number == 1 && hasMark)
        let record = ImportLine(line, digest: whole.value, isKnown: false)
        return Recognition.Tail(digest: whole.value, isReadable: (try? imported(record)) ?? nil != nil)
    }

    // MARK: What is new

    private func feed(_ line: LineSource.Line, _ digest: UInt64) throws {
        let isTail = recognition.isWhole && writer.file.tail && line.number == recognition.lines + 1
        try feed(line, digest, isKnown: line.number <= recognition.lines || isTail)
    }

    private func feed(_ line: LineSource.Line, _ digest: UInt64, isKnown: Bool) throws {
        if !line.unfinished { (passed, passedDigest) = (line.number, digest) }
        let line = ImportLine(line, digest: digest, isKnown: isKnown)
        if reader.header == nil || table.isWhole(line) { return try handle(line) }
        for record in table.add(line) { try handle(record) }
    }

    private func readHeader(_ line: ArraySlice<UInt8>) throws {
        hasHeader = true
        do throws(Malformed) {
            try reader.header?(line)
        } catch {
            throw Failure(.data, "\(job.file): \(error.message)")
        }
    }

    private func handle(_ line: ImportLine) throws {
        summary.lines += line.lines
        if reader.header != nil && line.number == 1 {
            if !hasHeader { try readHeader(line.bytes) }
            if line.isKnown { summary.known += line.lines }
        } else if line.isKnown {
            try again(line)
        } else {
            // A table's record may have begun before: it was bad while its end was not there.
            if line.number <= recognition.lines { for number in line.number...line.last { bad.remove(number) } }
            do {
                if let imported = try imported(line) {
                    add(imported, line)
                    tail = line.unfinished
                }
            } catch let no as any Refusal {
                complain(line, no)
                if job.onError == .stop { throw Stopped(line: line.number) }
                if !line.unfinished { bad.append(line.number...line.last) }
            }
        }
        if !line.unfinished {
            if line.last > recognition.lines { tail = false }
            (lines, linesDigest) = (line.last, line.digest)
        }
    }

    /// A line that was imported before, or was bad before and may be good now.
    private func again(_ line: ImportLine) throws {
        if !bad.contains(line.number) {
            reader.passed?(line.bytes)
            summary.known += line.lines
            return
        }
        do {
            if let imported = try imported(line) { add(imported, line) }
            for number in line.number...line.last { bad.remove(number) }
        } catch let no as any Refusal {
            complain(line, no)
        }
    }

    /// What a line says, checked.
    private func imported(_ line: ImportLine) throws -> Imported? {
        if line.tooLong { throw Malformed("line", "is over \(Limits.lineBytes) bytes") }
        if line.bytes.isEmpty { return nil }
        if JSONMembers.isBegun(by: line.bytes) { try JSONMembers.checkOnce(line.bytes) }
        guard let imported = try reader.read(line.bytes) else { return nil }
        let ended = imported.ended ?? imported.time
        if max(imported.time, ended) > now() + maximumClockSkew {
            throw Malformed(
                "time", "\(ended.rfc3339) is over \(maximumClockSkew.short) ahead of this machine's clock")
        }
        return imported
    }

    private func complain(_ line: ImportLine, _ no: any Refusal) {
        complaints.add(line.number, reason: no.reason, (no as? Malformed)?.inLine ?? "\(no.reason): \(no.message)")
        summary.bad += line.lines
        summary.reasons[no.reason, default: 0] += line.lines
    }

    /// Bad lines that were too many to be remembered one by one.
    private func countUnkept() {
        let count = min(recognition.isWhole ? recognition.files[recognition.file ?? 0].bad.uncounted : 0, summary.known)
        if count == 0 { return }
        summary.known -= count
        summary.bad += count
        summary.reasons["skipped-before", default: 0] += count
    }

    private func add(_ imported: Imported, _ line: ImportLine) {
        if job.importer.isByTime {
            for (i, record) in imported.records.enumerated() {
                let moment = imported.moments?[i] ?? imported.time
                waiting.append(.init(record: record, moment: moment, line: line.number, lines: line.lines))
            }
        } else {
            records += imported.records
        }
        linesWaiting += line.lines
        summary.first = min(summary.first ?? imported.time, imported.time)
        let ended = imported.ended ?? imported.time
        summary.last = max(summary.last ?? ended, ended)
    }

    /// Whether it is time to write.
    private var isFull: Bool {
        if !job.importer.isByTime { return max(records.count, linesWaiting) >= FileImport.batch }
        return waiting.count >= Importer.mostByTime || isDecided && writer.file.run?.lines == lines
    }

    private func commit() async throws {
        let (new, ordered, count) = (records, waiting, linesWaiting)
        (records, waiting, linesWaiting) = ([], [], 0)
        var imported = count
        if isCopy || !isDecided {
            // Lines can only have been tried again.
            try await writer.commit(new + ordered.map(\.record), bad: bad)
        } else {
            let known = writer.file
            let isBehind = lines < known.lines
            let done = ImportWriter.Progress(
                lines: isBehind ? known.lines : lines, digest: isBehind ? known.digest : linesDigest,
                tail: isBehind ? known.tail : tail, bad: bad, name: name)
            if job.importer.isByTime {
                imported = try await writer.commit(byTime: ordered, done, &digests)
                summary.known += count - imported
            } else {
                try await writer.commit(new, done, &digests)
            }
        }
        summary.imported += imported
        summary.records = writer.written.records
        summary.kinds = writer.written.kinds
        summary.ends = writer.written.ends
        if isTelling { try tell() }
        progress.show(summary.imported, unit: "lines", read: source.share)
    }

    private func tell() throws {
        let done = max(lines, writer.file.lines)
        if done <= told { return }
        told = done
        try Output.standard.line(
            JSON.object([
                ("line", String(done)), ("imported", String(summary.imported)),
                ("records", String(summary.records)), ("alreadyImported", String(summary.known)),
                ("bad", String(summary.bad)), ("last", JSON.offsets(summary.ends)),
            ]))
    }
}

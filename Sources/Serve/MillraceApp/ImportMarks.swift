internal import EventLog
internal import EventModel
internal import MillraceBus

/// What the log knows of a file that was imported, or a part of it: records of `millrace.imports` with keys that begin alike.
///
/// | key | value |
/// |---|---|
/// | `IDENTITY/NUMBER` | `LINES DIGEST end NAME`, or `tail`: so many lines are in, and perhaps an unfinished one after them |
/// | `IDENTITY/NUMBER/lines/PART` | digests of beginnings: ``LineDigests`` |
/// | `IDENTITY/NUMBER/bad` | the lines that could not be read: ``LineRanges`` |
/// | `IDENTITY/NUMBER/run` | a part that is on its way in the order of time: ``Run`` |
///
/// The values after the first are one word each, which a program that does not know them passes over.
struct ImportedFile {
    /// Lines whose records are written in the order of time: through which line, of which digest with all before, how many
    /// records they are, and how many of those are written.
    struct Run: Equatable {
        var lines: Int
        var digest: UInt64
        var records: Int
        var written: Int

        var text: String { "\(lines):\(String(digest, radix: 16)):\(records):\(written)" }

        init(lines: Int, digest: UInt64, records: Int, written: Int) {
            (self.lines, self.digest, self.records, self.written) = (lines, digest, records, written)
        }

        init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard parts.count == 4, let lines = Int(parts[0]), let digest = UInt64(parts[1], radix: 16),
                let records = Int(parts[2]), let written = Int(parts[3])
            else { return nil }
            self.init(lines: lines, digest: digest, records: records, written: written)
        }
    }

    var number: Int
    var lines = 0
    var digest = Digest().value
    var tail = false
    var name = ""
    var digests = LineDigests()
    var bad = LineRanges()
    var run: Run?

    init(number: Int) { self.number = number }
}

/// The records of one identity: what one importer makes of files that begin with the same line.
struct ImportMarks {
    let identity: String

    func key(_ number: Int, _ what: String = "") -> Bytes { Bytes("\(identity)/\(number)\(what)") }

    func record(_ file: Int, _ what: String = "", _ value: String, type: String = "ImportMark") -> NewRecord {
        NewRecord(
            key: key(file, what), value: Bytes(value), timestamp: now(),
            headers: [Header(HeaderName.type, Bytes(type))])
    }

    /// The files that are known, in the order in which they were first seen.
    func files(_ log: any EventLog, _ place: TopicPartition) async throws -> [ImportedFile] {
        guard let bounds = try await log.bounds(of: [place])[place] else { return [] }
        let prefix = Bytes(identity + "/")
        var newest: [String: Bytes] = [:]
        try await log.scan(place, from: bounds.lowerBound, to: bounds.upperBound) { batch in
            for record in batch.records where record.key.slice.starts(with: prefix.slice) {
                newest[String(record.key.text.dropFirst(identity.count + 1))] = record.value
            }
        }
        return Self.files(newest)
    }

    /// - Parameter records: The values by what their keys have behind the identity.
    static func files(_ records: [String: Bytes]) -> [ImportedFile] {
        var files: [Int: ImportedFile] = [:]
        for (key, value) in records {
            let parts = key.split(separator: "/", omittingEmptySubsequences: false)
            guard let number = Int(parts[0]), parts.count == 1 else { continue }
            let words = value.text.split(separator: " ", maxSplits: 3)
            guard words.count >= 2, let lines = Int(words[0]), let digest = UInt64(words[1], radix: 16) else {
                continue
            }
            var file = ImportedFile(number: number)
            (file.lines, file.digest) = (lines, digest)
            file.tail = words.count > 2 && words[2] == "tail"
            if words.count > 3 { file.name = String(words[3]) }
            files[number] = file
        }
        var digests: [Int: [Int: [UInt32]]] = [:]
        for (key, value) in records {
            let parts = key.split(separator: "/", omittingEmptySubsequences: false)
            guard let number = Int(parts[0]), parts.count > 1, files[number] != nil else { continue }
            switch (parts.count, parts[1]) {
            case (2, "bad"): files[number]?.bad = LineRanges(value.text) ?? LineRanges()
            case (2, "run"): files[number]?.run = ImportedFile.Run(value.text)
            case (3, "lines"):
                guard let part = Int(parts[2]), let known = LineDigests.digests(value.text) else { continue }
                digests[number, default: [:]][part] = known
            default: continue
            }
        }
        for (number, parts) in digests { files[number]?.digests = LineDigests(parts: parts) }
        return files.values.sorted { $0.number < $1.number }
    }
}

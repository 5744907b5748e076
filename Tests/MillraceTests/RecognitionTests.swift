import EventModel
import MillraceTestKit
import Testing

@testable import MillraceApp
@testable import MillraceBus

/// How far a file has been imported before, told by digests alone.
@Suite("Files that are known again")
struct RecognitionTests {
    private func digests(_ lines: [Int]) -> [UInt64] {
        var digest = Digest()
        return [digest.value]
            + lines.map { line in
                digest.add(Array("line \(line)".utf8)[...])
                return digest.value
            }
    }

    private func file(_ lines: [Int], number: Int = 0, isOld: Bool = false) -> ImportedFile {
        let values = digests(lines)
        var file = ImportedFile(number: number)
        (file.lines, file.digest) = (lines.count, values[lines.count])
        if !isOld {
            for count in 1..<max(1, values.count) { file.digests.add(count, values[count]) }
        }
        return file
    }

    /// How many lines of a file are known, and of what it is a shorter copy.
    private func known(_ lines: [Int], of files: [ImportedFile]) -> (lines: Int, copy: Recognition.Copy?) {
        var recognition = Recognition(files)
        for (at, value) in digests(lines).enumerated().dropFirst() where !recognition.isDecided {
            recognition.add(at, value)
        }
        let copy = recognition.isDecided ? nil : recognition.end(lines.count, nil)
        return (copy == nil ? recognition.lines : lines.count, copy)
    }

    @Test func `the same file, a grown one and a shorter copy have nothing that would come twice`() {
        let all = Array(0..<30_000)
        let imported = file(Array(all.prefix(20_000)))
        for count in [1, 2, 999, 1000, 1001, 8191, 8192, 8193, 8194, 9999, 16_384, 19_999] {
            let known = known(Array(all.prefix(count)), of: [imported])
            #expect(known.lines == count && known.copy?.file == 0, "\(count) lines")
            #expect(known.copy.map { $0.unchecked < LineDigests.step(at: count) } == true)
        }
        #expect(known(Array(all.prefix(20_000)), of: [imported]) == (20_000, nil))
        #expect(known(all, of: [imported]) == (20_000, nil))
    }

    @Test func `a file that differs is another one, but for a long beginning that both have`() {
        let imported = file(Array(0..<20_000))
        for same in [1, 2, 500, 999] {
            #expect(known(Array(0..<same) + Array(50_000..<60_000), of: [imported]) == (0, nil), "\(same) the same")
            #expect(known(Array(0..<same) + [50_000], of: [imported]) == (0, nil))
        }
        for same in [1000, 1001, 5000, 8192] {
            #expect(known(Array(0..<same) + Array(50_000..<60_000), of: [imported]) == (same, nil))
        }
        // Behind those lines there is a digest each two.
        #expect(known(Array(0..<10_001) + [50_000, 50_001], of: [imported]) == (10_000, nil))
    }

    @Test func `marks of older versions know whole files, and nothing within them`() {
        let old = file(Array(0..<3000), isOld: true)
        #expect(known(Array(0..<3000), of: [old]) == (3000, nil))
        #expect(known(Array(0..<4000), of: [old]) == (3000, nil))
        #expect(known(Array(0..<2999), of: [old]) == (0, nil))
        #expect(known(Array(0..<4000), of: [old, file(Array(0..<3500), number: 1)]) == (3500, nil))
        #expect(
            known(Array(0..<3200), of: [old, file(Array(0..<3500), number: 1)]) == (3200, .init(file: 1, unchecked: 0)))
    }

    @Test func `the farthest of many files is found, whatever their order`() {
        var random = SeededRandom(7)
        for _ in 0..<40 {
            // Each begins as the others do for a while.
            let texts: [[Int]] = (0..<5).map { file in
                let same = Int.random(in: 0...40, using: &random)
                let own = Int.random(in: 0...40, using: &random)
                return Array(0..<same) + (0..<own).map { i in 1000 * (i + 1) + file }
            }
            let imported = texts.enumerated().map { file($0.element, number: $0.offset) }
            let own: [Int] = Array(0..<Int.random(in: 1...60, using: &random))
            let seen = known(own, of: imported)
            var (isPart, behind) = (false, 0)
            for text in texts {
                if text.count > own.count, Array(text.prefix(own.count)) == own { isPart = true }
                if Array(own.prefix(text.count)) == text { behind = max(behind, text.count) }
            }
            let expected: Int = isPart ? own.count : behind
            let counts = texts.map { (text: [Int]) -> Int in text.count }
            #expect(seen.lines == expected, "\(own.count) of \(counts)")
        }
    }

    @Test func `digests are found again at every line that has one, also from their text`() throws {
        var digests = LineDigests()
        let lines = 100_000
        for line in 1...lines { digests.add(line, UInt64(line) &* 0x9e37_79b9_7f4a_7c15) }
        let parts = digests.takeChanged()
        #expect(digests.takeChanged().isEmpty && parts.map(\.part) == [0, 1, 2, 3, 4])
        var read: [Int: [UInt32]] = [:]
        for part in parts {
            let values: [UInt32] = try #require(LineDigests.digests(part.text))
            read[part.part] = values
        }
        let again = LineDigests(parts: read)
        var count = 0
        for line in 1...lines {
            let step = LineDigests.step(at: line)
            #expect(step <= max(1, line / 4096))
            let expected = line % step == 0 ? UInt32(truncatingIfNeeded: UInt64(line) &* 0x9e37_79b9_7f4a_7c15) : nil
            if again[line] != expected { Issue.record("line \(line)") }
            count += expected == nil ? 0 : 1
        }
        #expect(again[0] == nil && again[lines + 64] == nil && count < 24_000)
        #expect(parts.allSatisfy { $0.text.utf8.count < Limits.valueBytes })
    }

    @Test func `what the log says of files is read, also what older versions wrote`() throws {
        let files = ImportMarks.files([
            "0": "3000 ab12 end old file.log", "1": "5 ff tail new.log", "1/lines/0": Bytes(LineDigests.text([1, 2])),
            "1/bad": "2,4-5", "1/run": "9:ee:7:3", "2/lines/0": "AAAA", "x": "1 1 end", "3": "garbage", "1/else": "1",
        ])
        #expect(
            files.map(\.number) == [0, 1] && files.map(\.lines) == [3000, 5] && files.map(\.tail) == [false, true])
        #expect(files[0].name == "old file.log" && files[0].digest == 0xab12 && files[0].digests[1] == nil)
        #expect(files[1].digests[2] == 2 && files[1].bad.text == "2,4-5")
        #expect(files[1].run == ImportedFile.Run(lines: 9, digest: 0xee, records: 7, written: 3))
        #expect(ImportedFile.Run("-") == nil && ImportedFile.Run("9:ee:7:3")?.text == "9:ee:7:3")
    }

    @Test func `ranges of lines come back from their text, and lose one line at a time`() throws {
        var lines = LineRanges()
        for range in [3...3, 5...7, 8...9, 20...20] { lines.append(range) }
        #expect(lines.text == "3,5-9,20" && lines.count == 7 && LineRanges(lines.text) == lines)
        lines.remove(7)
        lines.remove(4)
        lines.remove(3)
        #expect(lines.text == "5-6,8-9,20" && !lines.contains(7) && lines.contains(8) && !lines.contains(21))
        #expect(lines.through(8).text == "5-6,8" && lines.count(through: 8) == 3)
        #expect(LineRanges("-") == LineRanges() && LineRanges().text == "-")
        for at in 0..<LineRanges.most { lines.append((100 + at * 2)...(100 + at * 2)) }
        #expect(lines.ranges.count == LineRanges.most && lines.uncounted == 3 && LineRanges(lines.text) == lines)
        for wrong in ["a", "3-", "5-3", "1-2-3", "+x"] { #expect(LineRanges(wrong) == nil, "\(wrong)") }
    }
}

@Suite("Records of a table")
struct TableRecordsTests {
    /// Each record as it stands, with the lines it is of.
    private func records(_ lines: [String]) -> [String] {
        var table = TableRecords()
        var records: [ImportLine] = []
        for (at, line) in lines.enumerated() {
            let line = LineSource.Line(number: at + 1, bytes: Array(line.utf8)[...])
            records += table.add(ImportLine(line, digest: UInt64(at), isKnown: false))
        }
        records += table.end()
        #expect(records.map(\.lines).reduce(0, +) == lines.count)
        return records.map { "\($0.number)+\($0.lines): \(String(decoding: $0.bytes, as: UTF8.self))" }
    }

    @Test func `a quoted field may span lines`() {
        #expect(records(["a,b", #"1,"x"#, "y", #"z",2"#, "3"]) == ["1+1: a,b", "2+3: 1,\"x\ny\nz\",2", "5+1: 3"])
        #expect(records([#"1;"say ""hi"#, #"there""";2"#, "3"]) == ["1+2: 1;\"say \"\"hi\nthere\"\"\";2", "3+1: 3"])
    }
    @Test func `a quote within a field opens nothing`() {
        #expect(records([#"a"b,c"#, #"d,"e","f""#, ""]) == [#"1+1: a"b,c"#, #"2+1: d,"e","f""#, "3+1: "])
    }
    @Test func `a quote that never closes costs one line`() {
        #expect(records([#"a,"b"#, "c", "d"]) == [#"1+1: a,"b"#, "2+1: c", "3+1: d"])
        let many = [#"a,"b"#] + (0..<2 * TableRecords.mostLines).map { "c\($0)" }
        #expect(records(many).count == many.count)
    }
}

import EventModel
import Testing

@testable import millrace

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
        #expect(known(Array(0..<3200), of: [old, file(Array(0..<3500), number: 1)]) == (3200, .init(file: 1, unchecked: 0)))
    }

    @Test func `the farthest of many files is found, whatever their order`() {
        var random = SeededRandom(7)
        for _ in 0..<40 {
            let files = (0..<5).map { _ in (Int.random(in: 0...40, using: &random), Int.random(in: 0...40, using: &random)) }
            // Each begins as the others do for a while.
            let texts = files.map { Array(0..<$0.0) + (0..<$0.1).map { 1000 * ($0 + 1) + files.count } }
            let imported = texts.enumerated().map { file($0.element, number: $0.offset) }
            let own = Array(0..<Int.random(in: 1...60, using: &random))
            let seen = known(own, of: imported)
            let isPart = texts.contains { $0.count > own.count && Array($0.prefix(own.count)) == own }
            let behind = texts.filter { Array(own.prefix($0.count)) == $0 }.map(\.count).max() ?? 0
            #expect(seen.lines == (isPart ? own.count : behind), "\(own.count) of \(texts.map(\.count))")
        }
    }

    @Test func `digests are found again at every line that has one, also from their text`() throws {
        var digests = LineDigests()
        let lines = 100_000
        for line in 1...lines { digests.add(line, UInt64(line) &* 0x9e37_79b9_7f4a_7c15) }
        let parts = digests.takeChanged()
        #expect(digests.takeChanged().isEmpty && parts.map(\.part) == [0, 1, 2, 3, 4])
        let again = LineDigests(
            parts: try Dictionary(uniqueKeysWithValues: parts.map { ($0.part, try #require(LineDigests.digests($0.text))) }))
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

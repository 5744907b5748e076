import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

/// What is read of files, pipes and gzip, whole and damaged.
@Suite("Lines of an input")
struct LineSourceTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lines-\(UUID().uuidString)")
        .path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private struct Read {
        var lines: [String] = []
        var unfinished = false
        var damage: String?
    }

    private func read(_ path: String) async throws -> Read {
        let source = try LineSource(path, limit: 1000)
        var all = Read()
        while let lines = try await source.next() {
            all.lines += lines.map { String(decoding: $0.bytes, as: UTF8.self) }
            all.unfinished = lines.contains { $0.unfinished }
        }
        all.damage = source.damage
        return all
    }

    private func read(_ bytes: [UInt8]) async throws -> Read {
        let path = "\(folder)/\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try await read(path)
    }

    private func gzip(_ text: String) async throws -> [UInt8] { try await gzip(bytes: Array(text.utf8)) }

    private func gzip(bytes: [UInt8]) async throws -> [UInt8] {
        let path = "\(folder)/\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let ended = try await Running("/bin/gzip", [path], cwd: folder, scratch: folder).end()
        try #require(ended.exit == 0, "\(ended)")
        return Array(try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
    }

    private static let text = (0..<60_000).map { "line \($0 &* 2_654_435_761 % 99_991)\n" }.joined()

    @Test func `a text is split at its line feeds, and carriage returns before them are dropped`() async throws {
        let all = try await read(Array("a\r\n\nb\r\nc".utf8))
        #expect(all.lines == ["a", "", "b", "c"] && all.unfinished && all.damage == nil)
        #expect(try await read(Array("a\n".utf8)).unfinished == false)
        #expect(try await read([]).lines == [])
        #expect(try await read([0x1f]).lines.count == 1)
    }

    @Test func `a byte order mark is dropped, also in gzip and of a file that is only one`() async throws {
        #expect(try await read(Array("\u{feff}a\n\u{feff}b\n".utf8)).lines == ["a", "\u{feff}b"])
        #expect(try await read(try await gzip("\u{feff}a\n")).lines == ["a"])
        #expect(try await read(Array("\u{feff}".utf8)).lines == [])
        #expect(try await read(Array("\u{feff}\n".utf8)).lines == [""])
    }

    @Test(
        arguments: [
            (String.Encoding.utf16LittleEndian, [0xff, 0xfe], "UTF-16LE"), (.utf16BigEndian, [0xfe, 0xff], "UTF-16BE"),
            (.utf16LittleEndian, [], "UTF-16LE"), (.utf16BigEndian, [], "UTF-16BE"),
            (.utf32LittleEndian, [0xff, 0xfe, 0, 0], "UTF-32LE"), (.utf32BigEndian, [0, 0, 0xfe, 0xff], "UTF-32BE"),
        ] as [(String.Encoding, [UInt8], String)])
    func `a text of wider characters is refused by its name`(
        _ encoding: String.Encoding, _ mark: [UInt8], _ name: String
    )
        async throws
    {
        let no = await #expect(throws: Failure.self) {
            try await read(mark + Array("192.0.2.7 - -\n".data(using: encoding)!))
        }
        #expect(no?.exit == .data && no?.message.contains("is text in \(name); write it as UTF-8") == true)
    }

    @Test(
        arguments: [
            ([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00], "zstd -dc"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz -dc"),
            ([0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59], "bzip2 -dc"),
            ([0x50, 0x4b, 0x03, 0x04], "unzip -p"), ([0x04, 0x22, 0x4d, 0x18], "lz4 -dc"),
        ] as [([UInt8], String)])
    func `what is packed otherwise than by gzip is refused with what unpacks it`(
        _ start: [UInt8], _ unpacking: String
    ) async throws {
        // zstd and zip may have a short text as it is, so that a line of it could be read.
        for bytes in [start, start + Array("1\n192.0.2.7 - -\n".utf8)] {
            let no = await #expect(throws: Failure.self) { try await read(bytes) }
            #expect(no?.exit == .data && no?.message.contains("give what \(unpacking) gives") == true)
        }
        #expect(try await read(Array("BZh9 is a word\n".utf8)).lines == ["BZh9 is a word"])
    }

    @Test func `gzip within gzip is refused, for its lines are none`() async throws {
        let twice = try await gzip(bytes: try await gzip("a\n"))
        let no = await #expect(throws: Failure.self) { try await read(twice) }
        #expect(no?.exit == .data && no?.message.contains("give what gzip -dc gives") == true)
    }

    @Test func `gzip is read whole, its members one after another, and zeros behind it are no matter`() async throws {
        let packed = try await gzip(Self.text)
        let lines = Self.text.split(separator: "\n").map(String.init)
        for (bytes, times) in [(packed, 1), (packed + packed, 2), (packed + [UInt8](repeating: 0, count: 700), 1)] {
            let all = try await read(bytes)
            #expect(all.lines.count == lines.count * times && Array(all.lines.prefix(lines.count)) == lines)
            #expect(all.damage == nil && !all.unfinished)
        }
    }

    @Test func `gzip that is cut anywhere gives its whole lines and says that it is cut`() async throws {
        let packed = try await gzip(Self.text)
        let lines = Self.text.split(separator: "\n").map(String.init)
        for cut in [3, 12, packed.count / 3, packed.count / 2, packed.count - 9, packed.count - 8, packed.count - 1] {
            let all = try await read(Array(packed.prefix(cut)))
            #expect(all.lines == Array(lines.prefix(all.lines.count)), "cut at \(cut)")
            #expect(!all.unfinished && all.damage?.contains("ends before its gzip data does") == true, "cut at \(cut)")
            #expect(cut < packed.count - 8 || all.lines.count == lines.count)
        }
        let second = try await read(packed + packed.prefix(packed.count / 2))
        #expect(second.lines.count > lines.count && second.damage != nil)
    }

    @Test func `gzip with altered bytes or something behind it is told`() async throws {
        let packed = try await gzip(Self.text)
        var altered = packed
        altered[packed.count - 6] ^= 1
        #expect(try await read(altered).damage?.contains("is damaged: incorrect data check") == true)
        altered = packed
        altered[packed.count / 2] ^= 0xff
        #expect(try await read(altered).damage != nil)
        let behind = try await read(packed + Array("more\n".utf8))
        #expect(behind.lines.count == 60_000 && behind.damage?.contains("that are not gzip") == true)
        #expect(try await read(packed + [0x1f]).damage?.contains("that are not gzip") == true)
    }

    @Test func `a pipe is read as it comes`() async throws {
        let path = "\(folder)/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        let script = "(printf 'a\\nb'; printf 'c\\n') > \(path)"
        let writer = try Running("/bin/sh", ["-c", script], cwd: folder, scratch: folder)
        #expect(try await read(path).lines == ["a", "bc"])
        #expect(try await writer.end().exit == 0)
    }

    @Test func `a line over the limit is cut, and the next one is whole`() async throws {
        let source = try LineSource(
            { () -> String in
                let path = "\(folder)/long"
                let text = String(repeating: "x", count: 1001) + "\nshort\n" + String(repeating: "y", count: 300_000)
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                return path
            }(), limit: 1000)
        var lines: [LineSource.Line] = []
        while let more = try await source.next() { lines += more }
        #expect(lines.map(\.tooLong) == [true, false, true] && lines.map(\.number) == [1, 2, 3])
        #expect(lines.allSatisfy { $0.bytes.count <= 80 })
    }

    @Test func `what cannot be opened is told with its name`() async throws {
        for path in ["\(folder)/none", folder] {
            let no = #expect(throws: Failure.self) { try LineSource(path, limit: 1000) }
            #expect(no?.exit == .noInput && no?.message.hasPrefix(path) == true)
        }
    }
}

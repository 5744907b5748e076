import EventLog
import EventModel
import Foundation
import KVDomain
import LocalLog
import Quarantining
import TestSupport
import Testing

@testable import RESP

private func folder() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("millrace-\(UUID().uuidString)").path
}

/// What was cut off or altered never comes back as if it were what was written.
@Suite("Blocks on disk")
struct SegmentFileTests {
    @Test func `lie in a folder of their owner's alone, and one that cannot be made is told by a sentence`() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try SegmentFile(in: folder + "/segments", partition: 0)
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/segments")[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let no = #expect(throws: LogError.self) { try SegmentFile(in: file.path + "/in-a-file", partition: 0) }
        #expect(no?.kind == .denied && no?.message.contains("cannot be made: Not a directory") == true)
    }

    @Test func `are what was written, and their room is used again`() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try SegmentFile(in: folder, partition: 3)
        var (random, blocks) = (SeededRandom(5), [Int: [UInt8]]())
        for _ in 0..<600 {
            if random.chance(40), let number = blocks.keys.min() {
                file.drop(number)
                blocks[number] = nil
                #expect(throws: DamagedBlock.self) { try file.read(number) }
            } else {
                let block = (0..<random.number(1...20_000)).map { UInt8(truncatingIfNeeded: $0 / 7) }
                blocks[try file.write(block)] = block
            }
        }
        for (number, block) in blocks { #expect(try file.read(number) == block) }
        for number in blocks.keys { file.drop(number) }
        #expect(file.size == 0)
        // All of it is one hole: what comes now stands at the beginning.
        let last = try file.write(Array(repeating: 1, count: 100))
        let length = try #require(FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int)
        #expect(try file.read(last).count == 100 && length > 0)
    }

    @Test func `with any byte flipped, cut off anywhere, or in another's place are refused`() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try SegmentFile(in: folder, partition: 0)
        let first = try file.write((0..<300).map { UInt8(truncatingIfNeeded: $0 * $0) })
        let second = try file.write((0..<300).map { UInt8(truncatingIfNeeded: $0 * $0) })
        let sound = try Data(contentsOf: URL(fileURLWithPath: file.path))
        let handle = try #require(FileHandle(forUpdatingAtPath: file.path))
        func write(_ bytes: Data) throws {
            try handle.truncate(atOffset: 0)
            try handle.seek(toOffset: 0)
            try handle.write(contentsOf: bytes)
        }
        for place in sound.indices {
            var bytes = sound
            bytes[place] ^= 1 << UInt8(place % 8)
            try write(bytes)
            let isFirst = place < sound.count / 2
            #expect(throws: DamagedBlock.self, "byte \(place)") { try file.read(isFirst ? first : second) }
            #expect(throws: Never.self, "byte \(place)") { try file.read(isFirst ? second : first) }
        }
        for length in 0..<sound.count {
            try write(sound.prefix(length))
            #expect(throws: DamagedBlock.self, "\(length) bytes") { try file.read(second) }
        }
        // The same bytes, and of the same length: but of another block.
        let half = sound.count / 2
        try write(sound.suffix(half) + sound.prefix(half))
        #expect(throws: DamagedBlock.self) { try file.read(first) }
        #expect(throws: DamagedBlock.self) { try file.read(second) }
        try write(sound)
        #expect(try file.read(first) == file.read(second))
    }

    @Test func `of a process that was killed are removed by the next`() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let left = "\(folder)/kv-1-2-3.blocks"
        try Data("left".utf8).write(to: URL(fileURLWithPath: left))
        var files = [try SegmentFile(in: folder, partition: 0), try SegmentFile(in: folder, partition: 1)]
        #expect(!FileManager.default.fileExists(atPath: left))
        #expect(files.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
        files = []
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
}

@Suite("Copies of keys", .serialized, .timeLimit(.minutes(10)))
struct CopyTests {
    private func info(_ client: RESPClient, _ name: String) throws -> Int {
        let text = try client.ask("INFO").text ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }
        return line.flatMap { Int($0.dropFirst(name.count + 1)) } ?? -1
    }
    private func seen(by worker: String, _ servers: KeyServers) async throws {
        try await eventually("\(worker) to have seen all of it", within: .seconds(300)) {
            let lag = try await servers.plain("lag", "--json", "--log", "local:\(servers.folder)/log").out
            let lines = lag.split(separator: "\n").filter { $0.contains("\"\(worker)\"") }
            return lines.count == 4 && lines.allSatisfy { $0.contains(#""lag":0"#) } ? true : nil
        }
    }
    /// Values that do not get shorter by compression.
    private func value(_ number: Int) -> String {
        var random = SeededRandom(UInt64(number))
        return String((0..<300).map { _ in Character(UnicodeScalar(UInt8(random.number(33...126)))) })
    }

    @Test func `begin with kv.state and what came since`() async throws {
        try await KeyServers.with { servers in
            let (process, port) = try await servers.serve("--with-state")
            let client = try RESPClient(port: port)
            for round in 0..<5 {
                _ = try client.pipeline((0..<400).map { ["SET", "key\($0)", "v\(round).\($0)"] })
            }
            _ = try client.pipeline((0..<100).map { ["DEL", "key\($0)"] })
            _ = try client.pipeline((100..<200).map { ["EXPIRE", "key\($0)", "1000"] })
            _ = try client.pipeline((0..<20).map { ["MSET", "{t\($0)}a", "1", "{t\($0)}b", "2"] })
            try await seen(by: "kv.newest", servers)
            #expect(try await process.stop().exit == 0)
            // What the reactor has not seen: it does not run here.
            let (second, secondPort) = try await servers.serve()
            let next = try RESPClient(port: secondPort)
            _ = try next.pipeline((300..<350).map { ["SET", "key\($0)", "late"] })
            _ = try next.pipeline((350..<360).map { ["DEL", "key\($0)"] })
            #expect(try await second.stop().exit == 0)

            let third = try RESPClient(port: try await servers.serve().port)
            #expect(try info(third, "restored_states") >= 340)
            #expect(try third.ask("DBSIZE") == .integer(300 + 40 - 10))
            #expect(try third.ask("GET", "key7") == .bulk(nil) && third.ask("GET", "key399") == .bulk("v4.399"))
            #expect(try third.ask("GET", "key301") == .bulk("late") && third.ask("GET", "key355") == .bulk(nil))
            #expect(try third.ask("GET", "{t3}b") == .bulk("2"))
            guard case .integer(let left) = try third.ask("TTL", "key150") else {
                Issue.record("no time to live")
                return
            }
            #expect((500...1000).contains(left))
            // It is what the whole history gives.
            for partition in 0..<4 { #expect(try third.ask("VERIFY", "\(partition)").description == "[:0, :0]") }
        }
    }

    @Test func `begin with the history where the writer of kv.state has left something out`() async throws {
        try await KeyServers.with { servers in
            let (process, port) = try await servers.serve("--with-state")
            let client = try RESPClient(port: port)
            _ = try client.ask("SET", "key", "before")
            try await seen(by: "kv.newest", servers)
            _ = try client.ask("SET", "key", "after")
            try await seen(by: "kv.newest", servers)
            #expect(try await process.stop().exit == 0)

            // As if the second record had been given up: the state of the first is the newest, and the quarantine says why.
            let log = try await LocalLog.open(directory: "\(servers.folder)/log")
            let states = [0, 1, 2, 3].map { TopicPartition("kv.state", $0) }
            var found: (TopicPartition, Record)?
            for (partition, range) in try await log.bounds(of: states) {
                try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
                    if let record = batch.records.first, found == nil { found = (partition, record) }
                }
            }
            let (state, first) = try #require(found)
            let events = [0, 1, 2, 3].map { TopicPartition("kv.events", $0) }
            let source = try #require(try await log.bounds(of: events).first { $0.value.upperBound == 2 }).key
            let parked = Quarantine.Parked(
                offset: 1, key: Bytes("key"), reason: "given up", attempts: 1, timestamp: first.timestamp)
            _ = try await log.append([
                Append(
                    state,
                    [NewRecord(key: first.key, value: first.value, timestamp: first.timestamp, headers: first.headers)]),
                Append(
                    TopicPartition(QuarantineLog.topic.name, 0),
                    [QuarantineEntry.parked(worker: "kv.newest", source, parked).record(at: first.timestamp)]),
            ])
            await log.close()

            let next = try RESPClient(port: try await servers.serve().port)
            #expect(try info(next, "restored_states") >= 1)
            #expect(try next.ask("GET", "key") == .bulk("after"))
        }
    }

    @Test func `beyond memory answer the same, and damaged ones are put right from the log`() async throws {
        try await KeyServers.with { servers in
            let segments = "\(servers.folder)/segments"
            let (process, port) = try await servers.serve("--memory", "1MiB", "--segments", segments)
            let client = try RESPClient(port: port)
            let count = 12_000
            for start in stride(from: 0, to: count, by: 500) {
                _ = try client.pipeline((start..<start + 500).map { ["SET", "key\($0)", value($0)] })
            }
            #expect(try info(client, "blocks_on_disk") > 20 && info(client, "used_memory") < 2_500_000)
            for number in stride(from: 0, to: count, by: 37) {
                #expect(try client.ask("GET", "key\(number)") == .bulk(value(number)))
            }
            for (round, damage) in ["flip", "cut"].enumerated() {
                for name in try FileManager.default.contentsOfDirectory(atPath: segments) {
                    let handle = try #require(FileHandle(forUpdatingAtPath: "\(segments)/\(name)"))
                    let length = try handle.seekToEnd()
                    if damage == "cut" {
                        try handle.truncate(atOffset: length / 2)
                    } else {
                        for place in stride(from: UInt64(1000), to: length, by: 5000) {
                            try handle.seek(toOffset: place)
                            let byte = try handle.read(upToCount: 1)?.first ?? 0
                            try handle.seek(toOffset: place)
                            try handle.write(contentsOf: [byte ^ 0x40])
                        }
                    }
                    try handle.close()
                }
                // Either what was written, or word that it is put right: never anything else.
                var damaged = 0
                for number in stride(from: round, to: count, by: 5) {
                    let answer = try client.ask("GET", "key\(number)")
                    if answer.isError { damaged += 1 } else { #expect(answer == .bulk(value(number))) }
                }
                #expect(damaged > 0)
                try await eventually("the copy to be put right", within: .seconds(300)) {
                    let answers = try client.pipeline(
                        stride(from: 0, to: count, by: 5).map { ["GET", "key\($0)"] })
                    return answers.contains(where: \.isError) ? nil : true
                }
                for partition in 0..<4 { #expect(try client.ask("VERIFY", "\(partition)").description == "[:0, :0]") }
                for number in 0..<count where number % 11 == 0 {
                    #expect(try client.ask("GET", "key\(number)") == .bulk(value(number)))
                }
            }
            #expect(try info(client, "repaired_ranges") > 0)
            // Two servers at the same place have the same sums.
            let other = try RESPClient(port: try await servers.serve("--without-handler").port)
            for partition in 0..<4 {
                #expect(try client.ask("DIGEST", "\(partition)") == other.ask("DIGEST", "\(partition)"))
            }
            #expect(try await process.stop().exit == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: segments).isEmpty)
        }
    }
}

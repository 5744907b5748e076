import EventLog
import Foundation
import Synchronization
import Testing

@Suite("A watch of a file", .timeLimit(.minutes(10)))
struct FileWatchTests {
    /// What was told, and whoever waits for it.
    private final class Heard: Sendable {
        private let names = Mutex<[String?]>([])
        let changed = Signal()

        var all: [String?] { names.withLock { $0 } }
        func hear(_ name: String?) {
            names.withLock { $0.append(name) }
            changed.notify()
        }
        func wait(until holds: @escaping @Sendable ([String?]) -> Bool) async -> Bool {
            await changed.first(within: patience) { holds(all) ? true : nil } ?? false
        }
    }

    private let folder = NSTemporaryDirectory() + "millrace-watch-" + UUID().uuidString

    private func inFolder(_ body: () async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body()
    }

    private func write(_ name: String) {
        let file = open("\(folder)/\(name)", O_WRONLY | O_CREAT, 0o600)
        Foundation.write(file, "x", 1)
        close(file)
    }

    @Test func `tells each who watches it, and nobody who does not any more`() async throws {
        try await inFolder {
            write("a")
            let (first, second) = (Heard(), Heard())
            var watch = FileWatch("\(folder)/a") { first.hear($0) }
            let other = FileWatch("\(folder)/a") { second.hear($0) }
            #expect(watch != nil && other != nil)
            write("a")
            #expect(await first.wait { $0 == [nil] })
            #expect(await second.wait { $0 == [nil] })
            watch = nil
            let before = first.all.count
            write("a")
            #expect(await second.wait { $0.count == 2 })
            #expect(first.all.count == before)
            // One that comes later is told of what is written then.
            watch = FileWatch("\(folder)/a") { first.hear($0) }
            write("a")
            #expect(await first.wait { $0.count == before + 1 })
            #expect(await second.wait { $0.count == 3 })
            withExtendedLifetime((watch, other)) {}
        }
    }

    @Test func `of a folder tells the names of its files`() async throws {
        try await inFolder {
            let heard = Heard()
            let watch = try #require(FileWatch(folder) { heard.hear($0) })
            write("a")
            write("b")
            #expect(await heard.wait { Set($0) == ["a", "b"] })
            withExtendedLifetime(watch) {}
        }
    }

    @Test func `of what is not there is none`() { #expect(FileWatch(folder + "/none") { _ in } == nil) }

    /// The system has room for 128 watchers of a user, mostly: once a process took one for each of its logs and views.
    @Test func `takes no more of the system than another`() async throws {
        try await inFolder {
            let (count, heard) = (400, Heard())
            for number in 0..<count { write("\(number)") }
            let watches = (0..<count).map { number in
                FileWatch("\(folder)/\(number)") { _ in heard.hear("\(number)") }
            }
            #expect(watches.allSatisfy { $0 != nil })
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            let watchers = files.filter { file in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(file)")
                return target?.hasSuffix("inotify") == true
            }
            #expect(watchers.count == 1, "\(watchers)")
            for number in 0..<count { write("\(number)") }
            #expect(await heard.wait { Set($0).count == count })
            withExtendedLifetime(watches) {}
        }
    }
}

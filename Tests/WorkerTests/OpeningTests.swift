import EventModel
import Projecting
import SQLiteViews
import Testing

@Suite("Views in SQLite")
struct OpeningTests {
    @Test func `are opened and closed by many at once`() async throws {
        let projection = AnyProjection(ShelfOne.self, domain: "test")
        for _ in 0..<10 {
            try await folder { folder in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            for _ in 0..<5 {
                                // A store of its own, as in a process of its own.
                                let views = try SQLiteViews(directory: folder)
                                try await views.open(projection)
                                _ = try await views.read(projection) { reader, _ in try reader.rows(Scan(items)) }
                                await views.close()
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}

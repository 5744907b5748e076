import EventModel
import Projecting
import SwiftProtobuf

@testable import HitsDomain
@testable import TicketsDomain

/// Tables as a projection may have them.
let items = Table(
    "items", key: [Column("name", .text), Column("number", .integer)],
    columns: [Column("label", .text), Column("weight", .real)],
    indexes: [Index("label", ["label"]), Index("number", ["number"])])
let sums = Table("sums", key: [Column("name", .text)], columns: [Column("a", .integer), Column("b", .integer)])

/// A projection that only lends its name and tables: what it folds, each test says itself.
protocol Lender: Projection where Event == Only<TicketsEvent> {}
extension Lender {
    static var about: String { "" }
    static var topics: [String] { ["events"] }
    static var tables: [Table] { [items, sums] }
    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {}
}
struct ShelfOne: Lender {
    static let name = "shelf"
    static let version = 1
}
struct ShelfTwo: Lender {
    static let name = "shelf"
    static let version = 2
}
struct Other: Lender {
    static let name = "other"
    static let version = 1
}

/// One projection's rows in a store.
struct Shelf: Sendable {
    let views: any ViewStore
    let projection: AnyProjection

    /// Claims the partitions and commits in one go.
    func commit(
        _ offsets: [TopicPartition: Offset], _ fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        let epochs = try await views.claim(projection, Array(offsets.keys), owner: "test").mapValues(\.epoch)
        try await views.commit(projection, to: offsets, under: epochs, fold: fold)
    }
    func rows(_ scan: Scan) async throws -> [Row] {
        try await views.read(projection) { reader, _ in try reader.rows(scan) }
    }
    func sums(_ columns: [Int], _ scan: Scan) async throws -> [Int64] {
        try await views.read(projection) { reader, _ in try reader.sums(columns, over: scan) }
    }
    func offsets() async throws -> [TopicPartition: Offset] { try await views.read(projection) { _, asOf in asOf } }
}

/// An empty store for one test.
func shelf(_ carrier: Carrier, _ test: (Shelf) async throws -> Void) async throws {
    try await folder { folder in
        let views = try carrier.views(folder)
        let shelf = Shelf(views: views, projection: AnyProjection(ShelfOne.self, domain: "test"))
        do {
            try await views.open(shelf.projection)
            try await test(shelf)
        } catch {
            await views.close()
            throw error
        }
        await views.close()
    }
}

internal import Domains
internal import EventModel
internal import Foundation

/// The id that a producer hid in a fact, which has none of its own.
enum FactID {
    private struct Fields: Decodable {
        var path: String?
        var driver: String?
    }
    private static let schemas = Dictionary(
        uniqueKeysWithValues: Domains.all.flatMap(\.telemetry).map { ($0.topic, $0.events) })

    /// A hit's path, or the driver and the moment of a location.
    static func of(_ record: Record, in topic: String) throws -> String? {
        guard let schema = schemas[topic] else { return nil }
        let json = try schema.decode(record.value).json
        let fields = try JSONDecoder().decode(Fields.self, from: Data(json.utf8))
        if let path = fields.path { return String(path.dropFirst()) }
        return fields.driver.map { location(of: $0, at: record.timestamp) }
    }

    static func location(of driver: String, at time: Timestamp) -> String { "\(driver)@\(time.rawValue)" }
}

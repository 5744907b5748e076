internal import EventModel
internal import Foundation

/// A moment as access logs have it: `25/Nov/2026:14:00:00 +0000`.
enum AccessStamp {
    static func of(_ time: Timestamp) -> String {
        var (seconds, parts) = (time_t(time.second), tm())
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let length = strftime(&text, text.count, "%d/%b/%Y:%H:%M:%S +0000", &parts)
        return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

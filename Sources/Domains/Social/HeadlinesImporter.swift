internal import CSVText
internal import CivilCalendar
internal import EventModel
internal import SwiftProtobuf

extension Importer {
    static let headlines = Importer(
        "headlines", "Import a table of headlines as news.",
        discussion: """
            A table, plain or gzip, whose first line names the columns: id, title and
            publisher, and if there are url and timestamp (time, seconds or milliseconds
            since 1970, or RFC 3339). Others are passed over: a class that the table has
            is not read. The same file again changes nothing.

            Example: millrace import headlines uci-news-aggregator.csv.gz
            """,
        into: "social.news"
    ) { source throws(Malformed) in
        var header: CSVHeader?
        return ImportReader(
            header: { line throws(Malformed) in
                header = try CSVHeader(
                    line, needed: [["id"], ["title"], ["publisher"]], optional: [["url"], ["timestamp", "time"]])
            },
            read: { line in
                guard let row = try header?.row(line) else { return nil }
                let record = try ImportedHeadline.record(row, now: source.now())
                return Imported(records: [record], time: record.timestamp)
            })
    }
}

/// A row of a table of headlines.
enum ImportedHeadline {
    static func record(_ row: CSVRow, now: Timestamp) throws(Malformed) -> NewRecord {
        var news = SocialNewsIngested()
        news.headline = try row.required("id")
        news.publisher = try row.required("publisher")
        news.title = try row.required("title")
        news.url = row["url"] ?? ""
        let time = try row["timestamp"].map { text throws(Malformed) in try CivilTime.reading(text, "timestamp").0 }
        try SocialNews.check(.newsIngested(news))
        return NewRecord(
            key: Bytes(SocialNews.key(of: .newsIngested(news))), value: SocialNewsEvent.bytes(.newsIngested(news)),
            timestamp: time ?? now)
    }
}

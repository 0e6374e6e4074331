// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// The rows of `tally_checkpoints`. The higher offset wins; of two with the same offset, the one that was written later.
enum ClickHouseCheckpoints {
    static func encode(_ checkpoint: Checkpoint, of log: LogID) -> ByteBuffer {
        var writer = RowBinaryWriter()
        writer.write(log.name)
        writer.write(UInt64(checkpoint.upTo.value))
        writer.write(checkpoint.encoded())
        return writer.buffer
    }

    static func checkpoint(of log: LogID, from answer: ByteBuffer) throws(ClickHouseDamage) -> Checkpoint? {
        var reader = RowBinaryReader(answer)
        if reader.isAtEnd { return nil }
        let upTo = try reader.readOffset()
        let checkpoint: Checkpoint
        do {
            checkpoint = try Checkpoint(decoding: try reader.readBytes())
        } catch let damage as ClickHouseDamage {
            throw damage
        } catch {
            throw ClickHouseDamage("\(error), of the log \(log)")
        }
        guard checkpoint.upTo == upTo else {
            throw ClickHouseDamage("the checkpoint of \(log) has up_to \(upTo), but its state says \(checkpoint.upTo)")
        }
        return checkpoint
    }
}

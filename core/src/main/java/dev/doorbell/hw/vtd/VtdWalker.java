package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.address.Iova;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.TableTrail;
import java.util.Map;

/// Explains what a remapping unit of VT-d does with an access or an interrupt message, from registers and tables as they stand. It writes
/// nothing. Immutable; safe for threads as its memory is.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3 (DMA remapping), 5 (interrupt remapping).
public final class VtdWalker {
  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;

  /// @param id the unit's name, for hops
  /// @param registers by the manual's names without suffix (`GSTS`, `RTADDR`, `IRTA`); missing ones cannot be seen
  public VtdWalker(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
  }

  /// {@return the way of a DMA access without a PASID}
  ///
  /// @param requester requester id, 16 bits
  /// @param write whether it writes
  public VtdWalk dma(int requester, Iova iova, boolean write) {
    TableTrail trail = new TableTrail(id, memory);
    String in = "requester id 0x%x, IOVA %s".formatted(requester, iova);
    Long gsts = registers.get("GSTS");
    Long rtaddr = registers.get("RTADDR");
    if (gsts == null || rtaddr == null) {
      String missing = gsts == null ? "GSTS" : "RTADDR";
      trail.stopRegister(
          missing + "_REG", in, "cannot see: %s_REG was not recorded".formatted(missing));
      return new VtdWalk(trail.hops(), java.util.Optional.empty(), trail.stopped());
    }
    return new DmaWalk(trail, UnitLimits.of(registers), requester, iova, write).run(gsts, rtaddr);
  }

  /// {@return the way of a write to the interrupt address range, which never meets the DMA tables}
  ///
  /// @param requester requester id, 16 bits
  /// @param address within FEE0_0000h to FEEF_FFFFh
  /// @param data the datum
  public VtdMessage message(int requester, long address, int data) {
    TableTrail trail = new TableTrail(id, memory);
    String in = "write 0x%x to 0x%x".formatted(Integer.toUnsignedLong(data), address);
    Long gsts = registers.get("GSTS");
    Long irta = registers.get("IRTA");
    if (gsts == null || irta == null && IRES.isSet(gsts)) {
      String missing = gsts == null ? "GSTS" : "IRTA";
      trail.stopRegister(
          missing + "_REG", in, "cannot see: %s_REG was not recorded".formatted(missing));
      return MessageWalk.ended(trail);
    }
    return new MessageWalk(trail, UnitLimits.of(registers), requester, address, data)
        .run(gsts, irta == null ? 0 : irta);
  }
}

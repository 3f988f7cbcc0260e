package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.TableTrail;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Tells which way a device's access takes through a RISC-V IOMMU, from registers and tables as they stand. Changes nothing.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3 (process to translate an IOVA).
public final class RiscvIommuWalker {
  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;

  /// @param registers by the manual's names: `capabilities`, `ddtp`; missing ones cannot be seen
  public RiscvIommuWalker(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
  }

  /// {@return the way of an untranslated request}
  public RiscvIommuWalk walk(int deviceId, Iova iova, boolean write) {
    return walk(deviceId, OptionalInt.empty(), iova, write);
  }

  /// {@return the way of an untranslated request}
  ///
  /// @param processId of the access, when it carries one (PASID)
  public RiscvIommuWalk walk(int deviceId, OptionalInt processId, Iova iova, boolean write) {
    return new Walk(deviceId, processId, iova.value(), write).run();
  }

  /// One walk under way.
  private final class Walk {
    private final long capabilities = registers.getOrDefault(CAPABILITIES.name(), 0L);
    private final TableTrail trail = new TableTrail(id, memory);
    private final int deviceId;
    private final OptionalInt processId;
    private final long iova;
    private final boolean write;

    /// The stages, once the walk has come to them.
    private Optional<StageWalk> walked = Optional.empty();

    Walk(int deviceId, OptionalInt processId, long iova, boolean write) {
      this.deviceId = deviceId;
      this.processId = processId;
      this.iova = iova;
      this.write = write;
    }

    RiscvIommuWalk run() {
      OptionalLong out = translate();
      if (out.isPresent() && !SvPteLayout.fits(out.getAsLong(), PAS.getInt(capabilities))) {
        out =
            stop(
                CAPABILITIES.name(),
                "0x%x has more than the %d bits of capabilities.PAS: %s"
                    .formatted(
                        out.getAsLong(),
                        PAS.getInt(capabilities),
                        fault(
                            write
                                ? FaultLayout.WRITE_ACCESS_FAULT
                                : FaultLayout.READ_ACCESS_FAULT)));
      }
      return new RiscvIommuWalk(
          trail.hops(),
          out.isPresent() ? Optional.of(new Pa(out.getAsLong())) : Optional.empty(),
          walked.flatMap(StageWalk::file),
          trail.stopped());
    }

    private OptionalLong translate() {
      Long ddtp = registers.get(DDTP.name());
      if (ddtp == null || !registers.containsKey(CAPABILITIES.name())) {
        trail.stopRegister(
            ddtp == null ? DDTP.name() : CAPABILITIES.name(),
            hex(iova),
            "cannot see %s: it was not recorded"
                .formatted(ddtp == null ? DDTP.name() : CAPABILITIES.name()));
        return OptionalLong.empty();
      }
      int mode = DDTP_MODE.getInt(ddtp);
      if (mode == MODE_OFF || mode > MODE_3LVL) {
        return stop(DDTP.name(), "iommu_mode Off: " + fault(FaultLayout.ALL_DISALLOWED));
      }
      if (mode == MODE_BARE) {
        trail.register(
            DDTP.name(), hex(iova), hex(iova), "iommu_mode Bare: accesses pass untranslated");
        return OptionalLong.of(iova);
      }
      trail.register(
          DDTP.name(),
          "device_id " + hex(deviceId),
          "directory at " + hex(DirectoryLayout.address(DDTP_PPN.get(ddtp))),
          TableTrail.print(DDTP_WORD, ddtp));
      return context(ddtp, mode - MODE_BARE);
    }

    private OptionalLong stop(String register, String why) {
      trail.stopRegister(register, hex(iova), why);
      return OptionalLong.empty();
    }

    private OptionalLong context(long ddtp, int levels) {
      boolean extended = RiscvIommuRegisters.MSI_FLAT.isSet(capabilities);
      if (!SvPteLayout.fits(
          Integer.toUnsignedLong(deviceId), DirectoryLayout.deviceIdBits(levels, extended))) {
        return stop(
            DDTP.name(),
            "device_id 0x%x has more than %d bits: %s"
                .formatted(
                    deviceId,
                    DirectoryLayout.deviceIdBits(levels, extended),
                    fault(FaultLayout.TYPE_DISALLOWED)));
      }
      long table = DirectoryLayout.address(DDTP_PPN.get(ddtp));
      for (int level = levels - 1; level > 0; level--) {
        long at = table + (long) index(deviceId, level, extended) * POINTER_BYTES;
        OptionalLong entry = trail.read(at, "DDT entry of level " + level);
        if (entry.isEmpty()) {
          return OptionalLong.empty();
        }
        long e = entry.getAsLong();
        if (!POINTER_V.isSet(e) || (e & POINTER.mask(BitKind.RES0)) != 0) {
          return broken("DDT entry of level " + level, e, POINTER, at);
        }
        table = DirectoryLayout.address(POINTER_PPN.get(e));
        trail.entry(
            "DDT entry of level " + level,
            "device_id " + hex(deviceId),
            "table at " + hex(table),
            TableTrail.print(POINTER, e),
            at);
      }
      return context(
          table + (long) index(deviceId, 0, extended) * contextBytes(extended), extended);
    }

    private OptionalLong broken(String what, long entry, Layout layout, long at) {
      boolean invalid = !POINTER_V.isSet(entry);
      trail.stopAt(
          what,
          hex(iova),
          invalid
              ? "V is 0: " + fault(FaultLayout.DDT_INVALID)
              : "reserved bits are set (%s): %s"
                  .formatted(TableTrail.print(layout, entry), fault(FaultLayout.DDT_MISCONFIGURED)),
          at);
      return OptionalLong.empty();
    }

    private OptionalLong context(long at, boolean extended) {
      long[] words = new long[contextBytes(extended) / Long.BYTES];
      for (int i = 0; i < words.length; i++) {
        OptionalLong word = trail.read(at + (long) i * Long.BYTES, "device context");
        if (word.isEmpty()) {
          return OptionalLong.empty();
        }
        words[i] = word.getAsLong();
      }
      long tc = words[TC_AT / Long.BYTES];
      if (!TC_V.isSet(tc) || (tc & TC.mask(BitKind.RES0)) != 0) {
        return broken("device context", tc, TC, at);
      }
      long gatp = words[IOHGATP_AT / Long.BYTES];
      long fsc = words[FSC_AT / Long.BYTES];
      trail.entry(
          "device context",
          "device_id " + hex(deviceId),
          TC_PDTV.isSet(tc)
              ? "process directory"
              : "%s, %s"
                  .formatted(
                      FSC_MODE.names().nameOf(FSC_MODE.get(fsc)),
                      IOHGATP_MODE.names().nameOf(IOHGATP_MODE.get(gatp))),
          "tc %s; ta %s; fsc %s; iohgatp %s"
              .formatted(
                  TableTrail.print(TC, tc),
                  TableTrail.print(TA, words[TA_AT / Long.BYTES]),
                  TableTrail.print(FSC, fsc),
                  TableTrail.print(IOHGATP, gatp)),
          at);
      if (TC_SXL.isSet(tc)) {
        trail.stopAt(
            "device context",
            hex(iova),
            "cannot see what address spaces of 32 bits (SXL) hold: they are not read",
            at);
        return OptionalLong.empty();
      }
      String broken = new ContextRules(capabilities, words).broken();
      if (!broken.isEmpty()) {
        trail.stopAt(
            "device context", hex(iova), broken + ": " + fault(FaultLayout.DDT_MISCONFIGURED), at);
        return OptionalLong.empty();
      }
      StageWalk stages = new StageWalk(trail, words, capabilities, write);
      walked = Optional.of(stages);
      if (TC_PDTV.isSet(tc)) {
        return new ProcessWalk(trail, words, capabilities, stages).through(processId, iova);
      }
      if (processId.isPresent()) {
        trail.stopAt(
            "device context",
            hex(iova),
            "the access has a process_id, and PDTV is 0: " + fault(FaultLayout.TYPE_DISALLOWED),
            at);
        return OptionalLong.empty();
      }
      return stages.both(iova);
    }
  }

  static String fault(int cause) {
    return "%s (cause %d)".formatted(FaultLayout.name(cause), cause);
  }

  static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}

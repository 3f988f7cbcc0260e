package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsCommandLayout;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.List;

/// Says in the manuals' words what a step does.
final class Describe {
  private Describe() {}

  /// {@return a few words, or the empty string}
  static String step(Hardware hardware, Step step) {
    return switch (step) {
      case Step.Store(long address, _) -> store(hardware, address);
      case Step.Write(long address, _, _) -> register(hardware, address);
      case Step.Read(long address, _) -> register(hardware, address);
      case Step.Command(List<Long> words) -> command(hardware, words);
      case Step.Clear _, Step.Message _, Step.Fetch _, Step.Drain _, Step.Acknowledge _ -> "";
    };
  }

  private static String store(Hardware hardware, long address) {
    if (!hardware.isSmmu()) {
      return "";
    }
    if (address >= Board.TABLES) {
      return "descriptor";
    }
    if (address >= Board.CONTEXTS) {
      return "CD";
    }
    return address >= Board.STREAMS ? "STE or level-1 descriptor" : "";
  }

  /// {@return a command's name, or its number}
  static String command(Hardware hardware, List<Long> words) {
    if (words.isEmpty()) {
      return "";
    }
    long code =
        hardware.isSmmu()
            ? CommandLayout.OPCODE.get(words.getFirst())
            : ItsCommandLayout.CODE.get(words.getFirst());
    String name =
        hardware.isSmmu()
            ? CommandLayout.OPCODE.names().nameOf(code)
            : ItsCommandLayout.NAMES.nameOf(code);
    return name.isEmpty() ? "command %02x".formatted(code) : name;
  }

  /// {@return a register's name}
  static String register(Hardware hardware, long address) {
    return switch (hardware) {
      case SMMUV3, SMMUV3_FULL -> in(SmmuRegisters.MAP, address - Board.SMMU, "");
      case ITS -> {
        long cpu = (address - Board.GICR) / GicrRegisters.BYTES;
        yield address >= Board.GICR
            ? in(GicrRegisters.MAP, (address - Board.GICR) % GicrRegisters.BYTES, " of CPU " + cpu)
            : address >= Board.ITS
                ? in(GitsRegisters.MAP, address - Board.ITS, "")
                : in(dev.doorbell.hw.gicv3.GicdRegisters.MAP, address - Board.GICD, "");
      }
      case GICV2M ->
          address >= Board.V2M
              ? in(GicV2mRegisters.MAP, address - Board.V2M, "")
              : address >= Board.GICC
                  ? in(GiccRegisters.MAP, address - Board.GICC, "")
                  : in(GicdRegisters.MAP, address - Board.GICD, "");
    };
  }

  private static String in(RegisterMap map, long offset, String suffix) {
    if (offset < 0 || offset >= map.bytes()) {
      return "";
    }
    return map.find(offset).map(h -> name(h.register(), h.index()) + suffix).orElse("");
  }

  private static String name(Register register, int index) {
    return register.count() == 1 ? register.name() : register.name() + index;
  }
}

package dev.doorbell.route;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A machine's registers and memory as they stand, recorded or live.
public interface MachineState {
  /// Registers by the manual's names without prefix (`CR0`, `TYPER`), of one block.
  record Block(long base, Map<String, Long> registers) {
    public Block {
      registers = Map.copyOf(registers);
    }
  }

  /// {@return blocks of one kind: `smmuv3`, `its`, `gicr`, `v2m`, `vtd`, `amdvi`; of a PAPR guest `papr`, the bridges' sources by what the hypervisor tells of them}
  List<Block> blocks(String kind);

  /// {@return memory, as far as it can be seen}
  MemoryView memory();

  /// {@return what a function is programmed with, or that it cannot be seen}
  ///
  /// @throws IndexOutOfBoundsException when the function has no such vector
  VectorState vector(Sbdf function, int vector);

  /// {@return the name of the ITS's table format}
  String itsFormat();

  Basis basis();

  /// {@return the block at a device's window}
  default Optional<Block> block(String kind, AddressRange window) {
    return blocks(kind).stream().filter(b -> b.base() == window.start()).findFirst();
  }
}

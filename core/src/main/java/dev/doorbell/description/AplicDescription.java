package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.Map;
import java.util.OptionalLong;

/// An interrupt domain of an APLIC: it sends the interrupts of its wires as messages into interrupt files.
///
/// **Source**: RISC-V AIA 1.0, 4.9.1 (addresses and data for outgoing MSIs).
///
/// @param number by which it is called: ACPI's APLIC ID, or its place among those of a device tree
/// @param registers its control region
/// @param sources how many wires it has, numbered from 1
/// @param told how some of them signal
public record AplicDescription(
    int number, AddressRange registers, int sources, Map<Integer, WireSignal> told, Source source) {
  /// The most wires that its registers can name.
  public static final int MOST_SOURCES = 1023;

  /// Bytes of its registers.
  public static final long REGISTER_BYTES = 0x4000;

  private static final int FILE_SHIFT = 12;

  public AplicDescription {
    told = Map.copyOf(told);
  }

  /// {@return the name that commands know it by}
  public String id() {
    return "aplic:" + number;
  }

  /// {@return how a wire signals; by an active high level where firmware does not tell}
  public WireSignal signal(int source) {
    return told.getOrDefault(source, WireSignal.HIGH);
  }

  /// {@return the number that an APLIC knows a hart by: those bits of its file's address that tell harts apart}
  public static int hartIndex(MsiControllerDescription.Imsic imsic, int cpu) {
    return hartIndex(imsic.files().get(cpu), imsic.index());
  }

  /// {@return the same of a file}
  public static int hartIndex(
      MsiControllerDescription.Imsic.File file, MsiControllerDescription.Imsic.Index index) {
    long page = file.page().start();
    long hart = page >>> FILE_SHIFT + index.guestBits() & (1L << index.hartBits()) - 1;
    long group = page >>> index.groupShift() & (1L << index.groupBits()) - 1;
    return (int) (group << index.hartBits() | hart);
  }

  /// {@return where a message goes; empty when no hart has that index, or not so many guests}
  ///
  /// @param guest 0 for the hart's own file
  public static OptionalLong page(MsiControllerDescription.Imsic imsic, int hartIndex, int guest) {
    for (MsiControllerDescription.Imsic.File f : imsic.files()) {
      if (hartIndex(f, imsic.index()) == hartIndex && guest < 1 << imsic.index().guestBits()) {
        long offset = guest * MsiControllerDescription.Imsic.FILE_BYTES;
        return OptionalLong.of(f.page().start() + offset);
      }
    }
    return OptionalLong.empty();
  }
}

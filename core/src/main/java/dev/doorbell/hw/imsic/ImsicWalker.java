package dev.doorbell.hw.imsic;

import static dev.doorbell.hw.imsic.ImsicRegisters.*;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Tells what the interrupt files of some harts do with a write.
///
/// **Source**: RISC-V Advanced Interrupt Architecture 1.0, 3.5 and 3.6.
public final class ImsicWalker {
  /// Where the files lie.
  ///
  /// @param bases the first byte of each hart's own file, in the order of CPUs
  /// @param guestBits a hart's own page and its guests' are 2^n
  /// @param identities of each file, numbered from 1
  /// @param source who tells
  public record Files(List<Long> bases, int guestBits, int identities, Source source) {
    public Files {
      bases = List.copyOf(bases);
    }
  }

  private final String id;
  private final Files files;
  private final Map<String, Long> registers;
  private final Basis basis;

  /// @param id the IMSIC's name
  /// @param registers what is known of the files' CSRs, by name and CPU: `eidelivery0`, `eithreshold0`, `eie0.1` (identities 64 to 127 of CPU 0) …
  /// @param basis how they are known
  public ImsicWalker(String id, Files files, Map<String, Long> registers, Basis basis) {
    this.id = id;
    this.files = files;
    this.registers = Map.copyOf(registers);
    this.basis = basis;
  }

  /// {@return what becomes of a write of 32 bits}
  ///
  /// @param pa where it arrives, after translation
  /// @param data the datum
  public ImsicWalk walk(long pa, int data) {
    String in = "write 0x%x to 0x%x".formatted(data, pa);
    long page = pa & -BYTES;
    int cpu = files.bases().indexOf(page);
    if (cpu < 0) {
      return ended(in, guest(page), Source.rule("AIA 1.0 3.5, interrupt files of a hart"));
    }
    long offset = pa & (BYTES - 1);
    if (offset != SETEIPNUM_LE.offset() && offset != SETEIPNUM_BE.offset()) {
      return ended(
          in,
          "offset 0x%x of the interrupt file of CPU %d is no doorbell: the write is ignored"
              .formatted(offset, cpu),
          Source.rule("AIA 1.0 3.5, memory region of an interrupt file"));
    }
    int identity = offset == SETEIPNUM_LE.offset() ? data : Integer.reverseBytes(data);
    if (identity < 1 || identity > files.identities()) {
      return ended(
          in,
          "%s is no identity of the interrupt file of CPU %d, which has 1 to %d: the write is ignored"
              .formatted(Integer.toUnsignedString(identity), cpu, files.identities()),
          files.source());
    }
    Optional<Boolean> enabled = enabled(cpu, identity);
    return new ImsicWalk(
        List.of(
            new Hop(
                id,
                in,
                "identity %d pending at CPU %d".formatted(identity, cpu),
                "seteipnum_%s of the CPU's interrupt file; neither the datum nor who writes is looked at%s"
                    .formatted(
                        offset == SETEIPNUM_LE.offset() ? "le" : "be",
                        enabled.map(e -> e ? "; enabled" : "; not enabled").orElse("")),
                files.source(),
                basis)),
        Optional.of(new ImsicWalk.Arrived(cpu, identity)),
        enabled,
        Optional.empty());
  }

  private String guest(long page) {
    for (int cpu = 0; cpu < files.bases().size(); cpu++) {
      long guest = Long.divideUnsigned(page - files.bases().get(cpu), BYTES);
      if (guest > 0 && guest < 1L << files.guestBits()) {
        return "the page is the interrupt file of guest %d of CPU %d, whose identities are that guest's own"
            .formatted(guest, cpu);
      }
    }
    return "no interrupt file of a hart lies there";
  }

  /// {@return whether the hart is interrupted; empty when a register that decides it is not known}
  private Optional<Boolean> enabled(int cpu, int identity) {
    Long delivery = registers.get("eidelivery" + cpu);
    Long threshold = registers.get("eithreshold" + cpu);
    Long eie = registers.get("eie%d.%d".formatted(cpu, identity / Long.SIZE));
    if (delivery == null || threshold == null || eie == null) {
      return Optional.empty();
    }
    return Optional.of(
        DELIVERY.get(delivery) == 1
            && (threshold == 0 || identity < threshold)
            && (eie & bit(identity)) != 0);
  }

  private ImsicWalk ended(String in, String why, Source source) {
    return new ImsicWalk(
        List.of(new Hop(id, in, "nothing", why, source, basis)),
        Optional.empty(),
        Optional.empty(),
        Optional.of(why));
  }
}

package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.hw.riscviommu.CommandLayout;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.FaultLayout;
import dev.doorbell.hw.riscviommu.MsiPteLayout;
import dev.doorbell.hw.riscviommu.RiscvIommuFeatures;
import dev.doorbell.hw.riscviommu.RiscvIommuModel;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A RISC-V IOMMU, beside QEMU's `riscv-iommu`, which is there from QEMU 10 on. Accesses are those of devices, which write, and those about which the debug
/// interface is asked, which may read and may have a process.
///
/// @param without what the model lacks besides, of `capabilities`: a mistake that is to be noticed
record RiscvIommu(long without) implements ComparedIommu {
  static final long UNIT = 0x0301_0000L;
  static final long RAM = 0x8000_0000L;
  static final long COMMANDS = RAM + 0x1000;
  static final int COMMAND_SLOTS = 256;
  static final long FAULTS = RAM + 0x2000;
  static final int FAULT_SLOTS = 128;
  static final long MSI_TABLE = RAM + 0x8_0000;
  static final int MSI_TABLE_BYTES = 16 * MsiPteLayout.BYTES;

  /// An interrupt file in memory, where its notices go, what IOFENCE.C writes, and where a message goes as it is.
  static final long FILE = RAM + 0x9_0000;

  static final long NOTICE = RAM + 0x9_1000;
  static final long WORD = RAM + 0x9_2000;
  static final long PAGE = RAM + 0x9_3000;

  /// What nobody uses but who asks what would be.
  static final long SPARE = RAM + 0xa_0000;

  static final AddressRange DIRECTORIES = AddressRange.ofSize(RAM + 0x10_0000, 0x4_0000);
  static final AddressRange FIRST_TABLES = AddressRange.ofSize(RAM + 0x14_0000, 0x4_0000);
  static final AddressRange SECOND_TABLES = AddressRange.ofSize(RAM + 0x18_0000, 0x8_0000);
  static final AddressRange TARGETS = AddressRange.ofSize(RAM + 0x100_0000, 48 * Sizes.MIB);

  /// Memory that nothing is at.
  static final long NOWHERE = 0x2_0000_0000L;

  static final List<Integer> REQUESTERS = List.of(0x08, 0x10, 0x18);

  static final IommuBoard BOARD =
      new IommuBoard(
          AddressRange.ofSize(RAM, 64 * Sizes.MIB),
          AddressRange.ofSize(RAM, 16 * Sizes.MIB),
          TARGETS,
          REQUESTERS);
  private static final QemuVersion LEAST = new QemuVersion(10, 0, 0);
  private static final int CACHED = 1024;
  private static final int ADDRESS_BITS = 56;

  /// From this cause on QEMU records no address (`riscv-iotval`).
  private static final int FIRST_OF_TABLES = 256;

  @Override
  public ComparedIommu of(QemuVersion version) {
    return this;
  }

  @Override
  public IommuBoard board() {
    return BOARD;
  }

  @Override
  public QemuBinary binary() {
    return QemuBinary.all("qemu-system-riscv64").getFirst();
  }

  @Override
  public QemuMachine start(QemuBinary binary) {
    binary.requireAtLeast(LEAST);
    return RiscvRig.start(binary);
  }

  /// What QEMU 10.0.2 has of `capabilities`, but for ATS, Sv32 and performance counters, which no scenario uses.
  private RiscvIommuFeatures features() {
    long offered =
        Stream.of(SV39, SV48, SV57, SV39X4, SV48X4, SV57X4, MSI_FLAT, MSI_MRIF, DBG, PD8)
            .mapToLong(f -> f.mask())
            .reduce(0, (a, b) -> a | b);
    return new RiscvIommuFeatures(
            offered | VERSION.place(VERSION_1_0) | PAS.place(ADDRESS_BITS), CACHED)
        .without(without);
  }

  @Override
  public Unit unit(PhysicalMemory memory, ApicPort apics) {
    return Unit.of(new RiscvIommuModel(features(), memory, new MemoryBus(memory)));
  }

  /// A bus with nothing but memory.
  private record MemoryBus(PhysicalMemory ram) implements SystemBus {
    @Override
    public BusOutcome write(long pa, long value, int bytes, int requester) {
      try {
        ram.write(pa, value, bytes);
        return BusOutcome.OK;
      } catch (BusErrorException e) {
        return BusOutcome.ERROR;
      }
    }

    @Override
    public BusRead read(long pa, int bytes) {
      return BusRead.error(bytes);
    }
  }

  @Override
  public long base() {
    return UNIT;
  }

  @Override
  public RegisterMap map() {
    return MAP;
  }

  @Override
  public List<Step> generate(long seed, int steps) {
    return new RiscvGenerator(seed).generate(steps);
  }

  @Override
  public boolean isMessage(long address) {
    return false;
  }

  private static Place place(Register r) {
    return new Place(r.name(), UNIT + r.offset(), r.bytes());
  }

  @Override
  public List<Place> watched() {
    return List.of(
        place(CQCSR), place(CQH), new Place("what IOFENCE.C wrote", WORD, Integer.BYTES));
  }

  @Override
  public boolean isSetting(long address) {
    return Stream.of(DDTP, CQB, CQCSR, FQB, FQCSR, TR_REQ_IOVA)
        .anyMatch(r -> address == UNIT + r.offset());
  }

  @Override
  public Optional<String> catchesUp(Step.Write write) {
    return Optional.empty();
  }

  /// QEMU does not look at reserved bits.
  @Override
  public Optional<String> passesOver(List<Long> command) {
    long low = command.getFirst();
    long reserved =
        switch (CommandLayout.OPCODE.getInt(low)) {
          case CommandLayout.IOTINVAL -> CommandLayout.INVAL.mask(BitKind.RES0);
          case CommandLayout.IOFENCE ->
              CommandLayout.FENCE.mask(BitKind.RES0) | CommandLayout.FENCE_WSI.mask();
          case CommandLayout.IODIR -> CommandLayout.DIR.mask(BitKind.RES0);
          default -> 0;
        };
    return (low & reserved) != 0 ? Optional.of("riscv-command-reserved") : Optional.empty();
  }

  @Override
  public void follow(CommandRing ring, long address, long value) {
    if (address == UNIT + CQB.offset()) {
      ring.moved(
          DirectoryLayout.address(BASE_PPN.get(value)),
          2L * CommandLayout.BYTES << LOG2SZ.getInt(value));
    } else if (address == UNIT + CQT.offset()) {
      ring.tail(value * CommandLayout.BYTES);
    }
  }

  @Override
  public Place tail() {
    return place(CQT);
  }

  @Override
  public long tail(long offset) {
    return offset / CommandLayout.BYTES;
  }

  @Override
  public Optional<Attempt> asked(Step.Write write, List<Step.Write> settings) {
    long control = write.value();
    if (write.address() != UNIT + TR_REQ_CTL.offset() || !TR_GO.isSet(control)) {
      return Optional.empty();
    }
    return Optional.of(
        new Attempt(
            TR_DID.getInt(control),
            TR_PV.isSet(control) ? TR_PID.getInt(control) : -1,
            IommuRun.setting(settings, UNIT + TR_REQ_IOVA.offset()) & TR_VPN.mask(),
            0,
            Optional.of(write)));
  }

  /// Only a device's write may be a message.
  @Override
  public void perform(Attempt attempt, Rig rig) {
    if (attempt.question().isEmpty()) {
      rig.message(attempt.requester(), attempt.address(), attempt.data());
      return;
    }
    Step.Write question = attempt.question().get();
    rig.write(UNIT + TR_REQ_IOVA.offset(), attempt.address(), TR_REQ_IOVA.bytes());
    rig.write(question.address(), question.value(), question.bytes());
  }

  @Override
  public List<Place> touched(Attempt attempt) {
    return attempt.question().isPresent()
        ? List.of()
        : Stream.of(
                words(FILE, MsiPteLayout.MRIF_BYTES), words(NOTICE, Long.BYTES), words(PAGE, 16))
            .flatMap(s -> s)
            .toList();
  }

  private static Stream<Place> words(long first, int bytes) {
    return IntStream.range(0, bytes / Long.BYTES)
        .mapToObj(i -> new Place("memory", first + (long) i * Long.BYTES, Long.BYTES));
  }

  @Override
  public List<Place> recordings() {
    return List.of(place(FQT), place(FQH), place(TR_RESPONSE));
  }

  @Override
  public String recorded(Rig rig, Attempt attempt, long[] seen) {
    List<String> out = new ArrayList<>();
    for (long head = seen[1]; head != seen[0]; head = (head + 1) % FAULT_SLOTS) {
      long at = FAULTS + head * FaultLayout.BYTES;
      long[] record =
          rig.read(
              List.of(
                  new Place("fault record", at, Long.BYTES),
                  new Place("iotval", at + FaultLayout.IOTVAL_AT, Long.BYTES)));
      out.add(
          fault(
              FaultLayout.CAUSE.getInt(record[0]),
              FaultLayout.DID.getInt(record[0]),
              FaultLayout.PID.getInt(record[0]),
              record[1]));
    }
    if (seen[0] != seen[1]) {
      rig.write(UNIT + FQH.offset(), seen[0], FQH.bytes());
    }
    if (attempt.question().isPresent()) {
      out.add(answer(seen[2]));
    }
    return String.join(", ", out);
  }

  static String fault(int cause, int device, int process, long iotval) {
    return "cause %d of device 0x%x process %d%s"
        .formatted(
            cause,
            device,
            process,
            cause >= FIRST_OF_TABLES ? "" : " at 0x" + Long.toHexString(iotval));
  }

  /// Of an answer that tells of a fault nothing else counts (6.24).
  static String answer(long response) {
    return TR_FAULT.isSet(response)
        ? "answers that it faults"
        : "answers 0x" + Long.toHexString(response);
  }

  @Override
  public Optional<Kind> kind(long address) {
    if (DIRECTORIES.contains(address)) {
      return Optional.of(Kind.DEVICE);
    }
    if (FIRST_TABLES.contains(address)) {
      return Optional.of(Kind.PAGE);
    }
    if (SECOND_TABLES.contains(address)) {
      return Optional.of(Kind.GUEST_PAGE);
    }
    return address >= MSI_TABLE && address < MSI_TABLE + MSI_TABLE_BYTES
        ? Optional.of(Kind.INTERRUPT)
        : Optional.empty();
  }

  @Override
  public int bytes(Kind kind) {
    return switch (kind) {
      case DEVICE -> DirectoryLayout.EXTENDED_BYTES;
      case PAGE, GUEST_PAGE -> SvPteLayout.BYTES;
      case INTERRUPT -> MsiPteLayout.BYTES;
    };
  }

  /// Scenarios invalidate all that a device, a process or an address may have left; who asks for less drops nothing here.
  @Override
  public List<Drop> drops(List<Long> command) {
    long low = command.getFirst();
    boolean part = CommandLayout.AV.isSet(low) || CommandLayout.PSCV.isSet(low);
    boolean guest = CommandLayout.FUNC3.getInt(low) == CommandLayout.GVMA;
    return switch (CommandLayout.OPCODE.getInt(low)) {
      case CommandLayout.IOTINVAL ->
          part || guest && CommandLayout.GV.isSet(low)
              ? List.of()
              : guest
                  ? List.of(Drop.all(Kind.GUEST_PAGE), Drop.all(Kind.INTERRUPT))
                  : List.of(Drop.all(Kind.PAGE));
      case CommandLayout.IODIR ->
          CommandLayout.DIR_FUNC3.getInt(low) == CommandLayout.INVAL_DDT
                  && !CommandLayout.DV.isSet(low)
              ? List.of(Drop.all(Kind.DEVICE))
              : List.of();
      default -> List.of();
    };
  }

  @Override
  public int domain(PhysicalMemory memory, int requester) {
    return -1;
  }

  @Override
  public int domain(long address, long[] entry) {
    return -1;
  }

  @Override
  public List<Named> quirks() {
    return RiscvQuirks.ALL;
  }

  @Override
  public String command(List<Long> words) {
    int code = CommandLayout.OPCODE.getInt(words.getFirst());
    int function = CommandLayout.FUNC3.getInt(words.getFirst());
    return switch (code) {
      case CommandLayout.IOTINVAL ->
          switch (function) {
            case CommandLayout.VMA -> "IOTINVAL.VMA";
            case CommandLayout.GVMA -> "IOTINVAL.GVMA";
            default -> "IOTINVAL %d".formatted(function);
          };
      case CommandLayout.IOFENCE -> function == 0 ? "IOFENCE.C" : "IOFENCE %d".formatted(function);
      case CommandLayout.IODIR ->
          switch (function) {
            case CommandLayout.INVAL_DDT -> "IODIR.INVAL_DDT";
            case CommandLayout.INVAL_PDT -> "IODIR.INVAL_PDT";
            default -> "IODIR %d".formatted(function);
          };
      default -> "command %x".formatted(code);
    };
  }
}

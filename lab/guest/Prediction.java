import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.PlanRequest;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subject;
import dev.doorbell.plan.Subjects;
import dev.doorbell.plan.WindowPlan;
import dev.doorbell.survey.Survey;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.IrqType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What `plan` says of a function of this very machine, against what the kernel programmed.
///
/// @param plan made from the running machine's firmware tables and sysfs
record Prediction(Sbdf function, Plan plan) {
  private static final AddressRange FEE = AddressRange.ofSize(0xfee0_0000L, 0x10_0000L);
  private static final int REMAPPABLE = 1 << 4;

  /// PHB4: what has address bit 60 and no other of the upper ones is a message.
  private static final long POWER_MSI = 1L << 60;

  private static final int SUBHANDLE_VALID = 1 << 3;

  /// A message in a function.
  record Message(long address, int data) {}

  static Prediction of(Sbdf function) {
    Survey survey = Survey.of(Firmware.read(Sysroot.open(Path.of("/"))));
    Subject subject = new Subjects(survey).of(function).orElseThrow();
    boolean unsafe = Lab.MACHINE.equals("arm64-v2m");
    PlanRequest d = PlanRequest.DEFAULT;
    PlanRequest request = new PlanRequest(d.ram(), d.ramBytes(), d.window(), d.granule(), d.maxVectors(), unsafe);
    return new Prediction(function, new Planner(survey.machine()).plan(List.of(subject), request));
  }

  /// Compares the window, and every vector's message.
  void check(String what, Container c, Device d, IrqType type) throws IOException {
    if (plan.subjects().getFirst().iommu().isPresent()) {
      Lab.check(plan.verdict().answer() != Plan.Answer.NO, "%s: plan says %s".formatted(what, plan.verdict()));
    } else {
      // DMAR and IVRS are not taken apart: the plan knows no unit, but that no window is needed must hold all the same.
      Lab.say("%s: plan does not see the IOMMU: %s".formatted(what, plan.verdict()));
    }
    Optional<AddressRange> window = plan.window().map(WindowPlan::range);
    Lab.check(window.equals(c.msiWindow()), "%s: MSI window planned %s, the kernel's %s".formatted(what, window, c.msiWindow()));
    List<Message> messages = type == IrqType.MSI ? List.of(capability()) : table(d);
    for (int v = 0; v < messages.size(); v++) {
      Message m = messages.get(v);
      Lab.check(
          isPredicted(m, v),
          "%s: vector %d programmed with address 0x%x, data 0x%x%s".formatted(what, v, m.address(), m.data(), entry(m)));
    }
  }

  private boolean isPredicted(Message m, int vector) throws IOException {
    if (plan.window().isEmpty() && Lab.MACHINE.startsWith("ppc64le")) {
      // Outside every window of DMA; the data is the interrupt's number behind its bridge, which the kernel chooses.
      return m.address() == POWER_MSI;
    }
    if (plan.window().isEmpty()) {
      boolean remapped = (m.address() & REMAPPABLE) != 0 && (m.address() & SUBHANDLE_VALID) != 0;
      return FEE.contains(m.address()) && (!Lab.MACHINE.equals("x86-vtd") || remapped && hasEntry(m));
    }
    WindowPlan w = plan.window().get();
    boolean place = false;
    for (int i = 0; i < w.doorbells().size(); i++) {
      long doorbell = w.doorbells().get(i).controller().doorbell().orElseThrow();
      place |= m.address() == w.range().start() + ((long) i << w.granule().shift()) + w.granule().offset(doorbell);
    }
    boolean its = w.doorbells().getFirst().controller() instanceof MsiControllerDescription.Its;
    return place && (!its || m.data() == vector);
  }

  /// VT-d: the index that the message's address and data make, as VT-d 5.1.2 has it.
  private static int index(Message m) {
    long handle = m.address() >>> 5 & 0x7fff | (m.address() >>> 2 & 1) << 15;
    return (int) handle + m.data();
  }

  private boolean hasEntry(Message m) throws IOException {
    return !Files.exists(TABLE) || entries().stream().anyMatch(e -> e.index() == index(m) && e.requester() == function.requesterId());
  }

  private static String entry(Message m) {
    return Lab.MACHINE.equals("x86-vtd") ? ", index %d of the remapping table".formatted(index(m)) : "";
  }

  private record Entry(int index, int requester) {}

  private static final Path TABLE = Path.of("/sys/kernel/debug/iommu/intel/ir_translation_struct");
  private static final Pattern LINE = Pattern.compile("^\\s*(\\d+)\\s+([0-9a-f]{2}):([0-9a-f]{2})\\.([0-7])\\s.*");

  /// {@return the kernel's own print of its remapping tables}
  private static List<Entry> entries() throws IOException {
    List<Entry> out = new ArrayList<>();
    for (String l : Files.readAllLines(TABLE)) {
      Matcher m = LINE.matcher(l);
      if (m.matches()) {
        int rid = Integer.parseInt(m.group(2), 16) << 8 | Integer.parseInt(m.group(3), 16) << 3 | Integer.parseInt(m.group(4));
        out.add(new Entry(Integer.parseInt(m.group(1)), rid));
      }
    }
    return out;
  }

  private Message capability() throws IOException {
    ByteBuffer b = ByteBuffer.wrap(Files.readAllBytes(Lab.folder(function).resolve("config"))).order(ByteOrder.LITTLE_ENDIAN);
    int at = b.get(0x34) & 0xff;
    while ((b.get(at) & 0xff) != 5) {
      at = b.get(at + 1) & 0xff;
    }
    return new Message(b.getLong(at + 4), b.getShort(at + 12) & 0xffff);
  }

  /// {@return the function's own table: what a user reads through VFIO is a copy}
  List<Message> table(Device d) throws IOException {
    MsixCapability msix = PciFunction.of(function, d.config(), function.toString()).msix().thing().orElseThrow();
    Path bar = Lab.folder(function).resolve("resource" + msix.tableBar());
    List<Message> out = new ArrayList<>();
    try (FileChannel ch = FileChannel.open(bar, StandardOpenOption.READ)) {
      // Mapped by pages: a byte buffer's mapping stays until it is collected, so this one belongs to an arena.
      try (var arena = java.lang.foreign.Arena.ofConfined()) {
        ByteBuffer b = ch.map(FileChannel.MapMode.READ_ONLY, 0, ch.size(), arena).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        for (int v = 0; v < msix.vectors(); v++) {
          int at = (int) msix.tableOffset() + v * 16;
          out.add(new Message(Integer.toUnsignedLong(b.getInt(at)) | (long) b.getInt(at + 4) << 32, b.getInt(at + 8)));
        }
      }
    }
    return out;
  }
}

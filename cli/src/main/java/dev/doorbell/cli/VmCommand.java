package dev.doorbell.cli;

import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.TakenFunctions;
import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.NoSuchFunction;
import dev.doorbell.vmm.GuestSession;
import dev.doorbell.vmm.VirtualMachine;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `doorbell vm`.
@Command(
    name = "vm",
    mixinStandardHelpOptions = true,
    description = {
      "Start a Linux guest on this arm64 host with one of its functions, whose interrupts reach the guest inside the kernel.",
      "The guest has one processor, a GICv3 with ITS, a PL011 console (standard input and output) and a host bridge with the function. Its"
          + " messages are routed by KVM to the guest's ITS, its registers are mapped, its DMA reaches the guest's memory alone."
    },
    footer = {
      "",
      "Needs KVM, an SMMUv3, an ITS, and root. The function is given back to its driver at the end, and on Ctrl-C.",
      "Exit status: 0 the guest switched itself off, 1 refused, or the guest ended otherwise, 2 arguments or input that cannot be used.",
      "",
      "Example:",
      "  doorbell vm --kernel Image --initrd initramfs.cpio --append quiet --device 0000:01:00.0 --yes"
    })
final class VmCommand implements Callable<Integer> {
  /// Device trees and initramfs are placed by it.
  private static final long PIECE = 0x20_0000;

  private static final int MOST_FILE = 0x4000_0000;

  private final Console console;
  private final Surroundings surroundings;

  @Option(
      names = "--kernel",
      required = true,
      paramLabel = "IMAGE",
      description = "An uncompressed arm64 Image.")
  private Path kernel = Path.of("");

  @Option(names = "--initrd", paramLabel = "FILE", description = "An initramfs.")
  private @Nullable Path initrd;

  @Option(
      names = "--append",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "More of the guest's command line, after console=ttyAMA0 panic=-1.")
  private String append = "";

  @Option(
      names = "--device",
      required = true,
      paramLabel = "SBDF",
      description = "The function that the guest gets.")
  private String device = "";

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      defaultValue = "512M",
      description = "The guest's memory, locked as long as it runs. Default: ${DEFAULT-VALUE}.")
  private String memory = "512M";

  @Option(
      names = "--yes",
      description = "Take the function off a driver that has it for the host, until the end.")
  private boolean yes;

  VmCommand(Console console, Surroundings surroundings) {
    this.console = console;
    this.surroundings = surroundings;
  }

  @Override
  public Integer call() throws InterruptedException {
    Sbdf function = Functions.one(device);
    VirtualMachine.Guest guest =
        new VirtualMachine.Guest(
            kernel.toString(),
            read(kernel),
            initrd == null ? MemorySegment.NULL : read(initrd),
            ("console=ttyAMA0 panic=-1 " + append).strip(),
            bytes());
    LinuxOptions options = surroundings.kernel(Path.of("/"));
    GuestSession.requireHost(options, guest);
    GuestSession.Wanted wanted =
        new GuestSession.Wanted(
            function, new TakenFunctions.Terms(false, yes, Optional.empty()), guest);
    GuestOutput output = new GuestOutput(new FileOutputStream(FileDescriptor.out));
    GuestRun run = new GuestRun(surroundings.ending(), System.in);
    VcpuExit end;
    try {
      end = run.run(() -> GuestRun.Guest.of(GuestSession.open(options, wanted, output::print)));
    } catch (NoSuchFunction e) {
      throw new UnusableInput(
          "NoSuchFunction", String.valueOf(e.getMessage()), e.refusal().advice());
    }
    Optional<IOException> lost = output.failure();
    if (lost.isPresent()) {
      console
          .err()
          .println(
              "doorbell: what the guest printed could not all be written: "
                  + lost.get().getMessage());
      return ExitStatus.INTERNAL.code();
    }
    if (end.equals(new VcpuExit.SystemEvent(VcpuExit.SystemEvent.Kind.SHUTDOWN))) {
      return ExitStatus.YES.code();
    }
    console.err().println("doorbell: the guest ended: " + GuestEnd.told(end));
    return ExitStatus.NO.code();
  }

  private long bytes() {
    long bytes = Ranges.size(memory).orElse(0);
    if (bytes == 0 || bytes % PIECE != 0 || bytes > VirtualMachine.MOST_MEMORY) {
      throw new UnusableInput(
          "BadArguments",
          "--memory %s is not usable".formatted(memory),
          "write a size in whole pieces of 2M, up to 128G, such as 512M");
    }
    return bytes;
  }

  private static MemorySegment read(Path file) {
    return MemorySegment.ofArray(NamedFile.bytes(file, MOST_FILE, "name a kernel or an initramfs"))
        .asReadOnly();
  }
}

package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import dev.doorbell.explain.Source;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `dmesg.txt`: what the kernel said about its IOMMUs while it started.
///
/// **Source**: Linux `drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c`, the line `ias %lu-bit, oas %lu-bit`; `drivers/iommu/arm/arm-smmu/arm-smmu.c`, the lines
/// `Stage-1: %lu-bit VA -> %lu-bit IPA`.
///
/// @param widths by the IOMMU's device name
/// @param x86 what it says of VT-d and AMD-Vi
record KernelLog(Map<String, Widths> widths, Optional<Arch> arch, X86Log x86) {
  static final KernelLog NONE = new KernelLog(Map.of(), Optional.empty(), new X86Log());
  static final String PATH = "dmesg.txt";
  private static final int MOST_IOMMUS = 1024;
  private static final int TRANS_S1 = 1 << 9;
  private static final int VAX = 1 << 14;
  static final int LIMIT = 16 * 1024 * 1024;
  private static final Pattern SMMU3 =
      Pattern.compile(
          ".*arm-smmu-v3 (\\S+): ias (\\d{1,2})-bit, oas (\\d{1,2})-bit(?: \\(features 0x([0-9a-f]{1,8})\\))?.*");
  private static final Pattern SMMU =
      Pattern.compile(".*arm-smmu (\\S+):\\s+Stage-1: (\\d{1,2})-bit VA -> (\\d{1,2})-bit IPA.*");

  /// Address widths in bits.
  record Widths(int input, int output, Source source) {}

  static KernelLog read(Sysroot sysroot) {
    // Of the running machine the log is fetched only when it may tell widths: that takes a moment.
    boolean worthwhile =
        !sysroot.isLive()
            || sysroot.list("sys/class/iommu").map(names -> !names.isEmpty()).orElse(false);
    if (!worthwhile || !(sysroot.kernelLog() instanceof Contents.Present(Blob blob))) {
      return new KernelLog(Map.of(), Optional.empty(), new X86Log());
    }
    Map<String, Widths> widths = new LinkedHashMap<>();
    Optional<Arch> arch = Optional.empty();
    X86Log x86 = new X86Log();
    String text = blob.latin1();
    for (int at = 0; at < text.length(); ) {
      int end = text.indexOf('\n', at);
      end = end < 0 ? text.length() : end;
      String line = text.substring(at, Math.min(end, at + 1024)).stripTrailing();
      if (line.contains("arm-smmu")) {
        widths(line, Source.at(blob.file(), at), widths);
        arch = Optional.of(Arch.ARM64);
      } else if (line.contains("Linux version ")) {
        arch = arch.or(() -> archOf(line));
      } else {
        if (line.contains("DMAR: ") || line.contains("AMD-Vi: ")) {
          arch = arch.or(() -> Optional.of(Arch.X86));
        }
        x86.line(line, Source.at(blob.file(), at));
      }
      at = end + 1;
    }
    return new KernelLog(Map.copyOf(widths), arch, x86);
  }

  private static void widths(String line, Source source, Map<String, Widths> out) {
    if (out.size() >= MOST_IOMMUS) {
      return;
    }
    Matcher three = SMMU3.matcher(line);
    if (three.matches()) {
      int output = Integer.parseInt(three.group(3));
      out.putIfAbsent(three.group(1), new Widths(inputBits(three), output, source));
    }
    Matcher two = SMMU.matcher(line);
    if (two.matches()) {
      int output = Integer.parseInt(two.group(3));
      out.putIfAbsent(two.group(1), new Widths(Integer.parseInt(two.group(2)), output, source));
    }
  }

  /// The `ias` of the line is what stage 2 takes in. Linux translates by stage 1 wherever it is implemented, and that takes 48 bits,
  /// or 52 with VAX (`arm_smmu_domain_finalise`; ARM_SMMU_FEAT_TRANS_S1 and ARM_SMMU_FEAT_VAX, Linux 6.12).
  private static int inputBits(Matcher line) {
    int ias = Integer.parseInt(line.group(2));
    if (line.group(4) == null) {
      return ias;
    }
    int features = Integer.parseUnsignedInt(line.group(4), 16);
    if ((features & TRANS_S1) == 0) {
      return ias;
    }
    return (features & VAX) == 0 ? 48 : 52;
  }

  private static Optional<Arch> archOf(String line) {
    if (line.contains("aarch64") || line.contains("arm64")) {
      return Optional.of(Arch.ARM64);
    }
    if (line.contains("x86_64") || line.contains("amd64") || line.contains("i686")) {
      return Optional.of(Arch.X86);
    }
    if (line.contains("ppc64") || line.contains("powerpc64")) {
      return Optional.of(Arch.PPC64);
    }
    return line.contains("riscv64") ? Optional.of(Arch.RISCV64) : Optional.empty();
  }
}

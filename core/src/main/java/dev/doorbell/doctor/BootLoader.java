package dev.doorbell.doctor;

import dev.doorbell.firmware.Sysroot;

/// How an option gets onto the kernel's command line and off it again: by the distribution that built the kernel, as far as its version tells.
final class BootLoader {
  private static final int LIMIT = 64 * 1024;
  private static final String GRUB = "GRUB_CMDLINE_LINUX in /etc/default/grub, then ";

  private BootLoader() {}

  /// {@return how to boot with an option}
  static String with(Evidence e, String option) {
    return "boot with %s (%s)".formatted(option, edit(e, "--args=" + option));
  }

  /// {@return how to boot without an option}
  static String without(Evidence e, String option) {
    return "remove %s from the kernel's command line (%s)"
        .formatted(option, edit(e, "--remove-args=" + option));
  }

  private static String edit(Evidence e, String argument) {
    String version = version(e);
    if (version.contains("-pve")) {
      return GRUB
          + "update-grub; or /etc/kernel/cmdline, then proxmox-boot-tool refresh; and reboot";
    }
    if (version.contains("Debian") || version.contains("Ubuntu")) {
      return GRUB + "update-grub and reboot";
    }
    if (version.matches("(?s).*\\.(fc|el)\\d+.*") || version.contains("fedoraproject")) {
      return "grubby --update-kernel=ALL %s, and reboot".formatted(argument);
    }
    if (version.contains("geeko@")) {
      return GRUB + "grub2-mkconfig -o /boot/grub2/grub.cfg and reboot";
    }
    if (version.contains("nixbld@")) {
      return "boot.kernelParams in configuration.nix, then nixos-rebuild boot and reboot";
    }
    if (version.matches("(?is).*-arch\\d*\\b.*")) {
      return GRUB
          + "grub-mkconfig -o /boot/grub/grub.cfg; or the options of systemd-boot's entry; and reboot";
    }
    return "in the boot loader's settings; with GRUB in /etc/default/grub, then update-grub or grub2-mkconfig; and reboot";
  }

  private static String version(Evidence e) {
    Sysroot root = e.sysroot();
    return root.text("proc/version", LIMIT)
        .or(() -> e.log().first("Linux version ").map(BootLog.Hit::text))
        .or(() -> KernelConfig.release(root))
        .orElse("");
  }
}

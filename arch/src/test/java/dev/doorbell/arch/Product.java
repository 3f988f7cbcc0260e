package dev.doorbell.arch;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;

/// The classes that the rules are about: all of ours but tests and the test kit.
final class Product {
  static final String BASE = "dev.doorbell.";

  private static final JavaClasses CLASSES =
      new ClassFileImporter().withImportOption(Product::isProduct).importPackages("dev.doorbell");

  private Product() {}

  static JavaClasses classes() {
    return CLASSES;
  }

  /// {@return the room of a class: its package below the base, such as `hw.smmuv3`}
  static String room(JavaClass type) {
    String name = type.getPackageName();
    return name.startsWith(BASE) ? name.substring(BASE.length()) : "";
  }

  static boolean isOurs(JavaClass type) {
    return type.getPackageName().startsWith(BASE);
  }

  private static boolean isProduct(Location location) {
    return !location.contains("/test-classes/")
        && !location.contains("/testkit/")
        && !location.contains("doorbell-testkit")
        && !location.contains("/jmh_generated/");
  }
}

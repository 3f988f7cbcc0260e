/// What tests share: seeded cases, golden files, captured machines. Depends on none of the other modules.
module dev.doorbell.testkit {
  requires static org.jspecify;
  requires org.junit.jupiter.api;
  requires org.opentest4j;

  exports dev.doorbell.testkit;
}

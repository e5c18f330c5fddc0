-- CreateTable
CREATE TABLE "Holding" (
    "networkId" TEXT NOT NULL,
    "sortable" TEXT NOT NULL,
    "sinceRevision" INTEGER NOT NULL,
    "address" TEXT NOT NULL,
    "network" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "endpointId" TEXT,
    "endpointName" TEXT,
    "host" TEXT,
    "request" TEXT NOT NULL,
    "since" BIGINT NOT NULL,
    "until" BIGINT,
    "untilRevision" INTEGER,

    PRIMARY KEY ("networkId", "sortable", "sinceRevision")
);

-- CreateTable
CREATE TABLE "HistoryEvent" (
    "revision" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "at" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "body" TEXT NOT NULL,

    PRIMARY KEY ("revision", "position")
);

-- CreateTable
CREATE TABLE "Progress" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "revision" INTEGER NOT NULL
);

-- CreateIndex
CREATE INDEX "Holding_sortable_sinceRevision_idx" ON "Holding"("sortable", "sinceRevision");

-- CreateIndex
CREATE INDEX "Holding_endpointId_idx" ON "Holding"("endpointId");

-- CreateIndex
CREATE INDEX "HistoryEvent_type_revision_idx" ON "HistoryEvent"("type", "revision");

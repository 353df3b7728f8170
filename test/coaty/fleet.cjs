// Vehicles of Coaty's vda-5050-lib (VirtualAgvAdapter, protocol 2.0.0), many in one process.
//
//     node fleet.cjs '{"url": "mqtt://127.0.0.1:1883", "timeLapse": 10, "vehicles": [
//         {"serial": "agv-1", "x": 0, "y": 2, "heading": 0, "node": "n1", "map": "hall"}]}'
//
// Commands, one a line on standard input: `cut SERIAL` breaks a vehicle's connection (it comes back by
// itself), `end` ends the process.

"use strict";
const readline = require("readline");
const { AgvController, AgvId, VirtualAgvAdapter, BlockingType } = require("vda-5050-lib");

const given = JSON.parse(process.argv[2]);
const timeLapse = given.timeLapse ?? 1;
const TICKS = 50; // a second
const STATE_MS = 30000; // between the states of an idle vehicle, in its own time
const LENGTH_M = given.length ?? 0.8;
const WIDTH_M = given.width ?? 0.6;
const SPEED_MPS = given.speed ?? 1.5;

/** What the adapter leaves empty. */
function factsheet() {
    const actions = ["pick", "drop", "startCharging", "stopCharging"];
    return {
        typeSpecification: {
            seriesName: "VirtualAgvAdapter", seriesDescription: "simulated", agvKinematic: "DIFF",
            agvClass: "FORKLIFT", maxLoadMass: 1000, localizationTypes: ["NATURAL"],
            navigationTypes: ["AUTONOMOUS"],
        },
        physicalParameters: {
            speedMin: 0, speedMax: SPEED_MPS, accelerationMax: 2, decelerationMax: 2,
            heightMin: 1, heightMax: 2, width: WIDTH_M, length: LENGTH_M,
        },
        protocolLimits: {
            maxStringLens: {}, maxArrayLens: {},
            timing: { minOrderInterval: 0, minStateInterval: 0 },
        },
        protocolFeatures: {
            optionalParameters: [],
            agvActions: actions.map(actionType => ({
                actionType, actionScopes: ["NODE"], actionDescription: actionType,
                actionParameters: [], resultDescription: "", blockingTypes: [BlockingType.Hard],
            })),
        },
        agvGeometry: {},
        loadSpecification: {},
    };
}

async function start(vehicle) {
    const controller = new AgvController(
        { manufacturer: given.manufacturer ?? "coaty", serialNumber: vehicle.serial },
        {
            interfaceName: "uagv", vdaVersion: "2.0.0",
            transport: { brokerUrl: given.url, reconnectPeriod: 500 },
        },
        {
            agvAdapterType: VirtualAgvAdapter,
            publishStateInterval: STATE_MS / timeLapse,
            publishVisualizationInterval: 1000,
        },
        {
            initialPosition: {
                mapId: vehicle.map, x: vehicle.x, y: vehicle.y, theta: vehicle.heading ?? 0,
                lastNodeId: vehicle.node,
            },
            initialBatteryCharge: vehicle.charge ?? 90,
            batteryMaxReach: given.reach ?? 28800,
            fullBatteryChargeTime: given.chargeHours ?? 0.4,
            vehicleSpeed: SPEED_MPS, tickRate: TICKS, timeLapse,
        },
    );
    await controller.start();
    controller.updateFactsheet(factsheet());
    return controller;
}

async function main() {
    const fleet = new Map();
    for (const vehicle of given.vehicles) {
        fleet.set(vehicle.serial, await start(vehicle));
    }
    console.log("ready");
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [word, serial] = line.split(" ");
        if (word === "cut") {
            fleet.get(serial)._mqtt.stream.destroy();
        } else if (word === "end") {
            break;
        }
    }
    process.exit(0);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});

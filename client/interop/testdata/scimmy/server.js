// A SCIM service by scimmy, with users and groups in memory. It prints its port and runs until its input ends.
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

let next = 1;

// store returns the three handlers of a resource type; key names its unique attribute.
function store(key) {
    const objects = new Map();
    const get = (id) => {
        if (!objects.has(id)) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
        return objects.get(id);
    };
    return {
        ingress: async (resource, data) => {
            const values = JSON.parse(JSON.stringify(data));
            for (const other of objects.values()) {
                if (other.id !== resource.id && other[key].toLowerCase() === values[key].toLowerCase()) {
                    throw new SCIMMY.Types.Error(409, "uniqueness", `${key} is taken`);
                }
            }
            const now = new Date().toISOString();
            const old = resource.id ? get(resource.id) : {id: String(next++), meta: {created: now}};
            const object = {...values, id: old.id, meta: {created: old.meta.created, lastModified: now}};
            objects.set(object.id, object);
            return object;
        },
        egress: async (resource) => {
            if (resource.id) return get(resource.id);
            const all = [...objects.values()];
            return resource.filter ? resource.filter.match(all) : all;
        },
        degress: async (resource) => {
            get(resource.id);
            objects.delete(resource.id);
        },
    };
}

for (const [type, key] of [[SCIMMY.Resources.User, "userName"], [SCIMMY.Resources.Group, "displayName"]]) {
    const {ingress, egress, degress} = store(key);
    SCIMMY.Resources.declare(type).ingress(ingress).egress(egress).degress(degress);
}
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const app = express();
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== "Bearer interop") throw new Error("wrong token");
        return "provisioner";
    },
}));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
